"""A real Milvus with a worker of ours beside it; only `make test-milvus` runs these tests."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from starter.stack import Stack
from tests.real_milvus import desk as desks
from tests.real_milvus import story
from tests.real_milvus.cluster import Cluster, cluster
from tests.real_milvus.configuration import Place
from tests.real_milvus.desk import Desk
from tests.real_milvus.kinds import Kind
from tests.real_milvus.story import Source, Target, Twin

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_HERE = Path(__file__).parent
_SECONDS = 300
"""For a test with all that it waits for: the first ones wait for the whole story."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.real_milvus)
            item.add_marker(pytest.mark.timeout(_SECONDS))


@pytest.fixture(scope="session")
def first(stack: Stack, s3_client: "S3Client", tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster of the source."""
    place = place_in(stack, stack, s3_client, etcd_root="by-dev", root="files")
    with cluster(place, s3_client, tmp_path_factory.mktemp("first")) as running:
        yield running


@pytest.fixture(scope="session")
def desk(first: Cluster, stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A worker whose default profile is the source's cluster."""
    temporal = stack.server("temporal").address
    with desks.opened(first.settings(), temporal, tmp_path_factory.mktemp("desk")) as opened:
        yield opened


@pytest.fixture(scope="session")
def source(first: Cluster, desk: Desk) -> Source:
    """The collections, and their snapshots."""
    return story.make_source(first, desk)


@pytest.fixture(scope="session")
def twin(first: Cluster, desk: Desk, source: Source) -> Twin:
    """A restore beside its living source."""
    return story.make_twin(first, desk, source)


@pytest.fixture(scope="session")
def restored(first: Cluster, desk: Desk, source: Source, twin: Twin) -> dict[Kind, Target]:
    """What came back after the sources were changed and dropped."""
    assert twin.rounds
    story.drop_sources(first)
    return story.restore_all(first, desk, source)


def place_in(stack: Stack, etcd: Stack, s3: "S3Client", *, etcd_root: str, root: str) -> Place:
    """A bucket of its own in the S3 server of one stack, and a root in the etcd of another."""
    settings = stack.settings()
    bucket = f"milvus-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=bucket)
    return Place(
        etcd=etcd.server("etcd").address,
        etcd_root=etcd_root,
        s3=settings["RESTORE_S3_ENDPOINT"],
        access_key=settings["AWS_ACCESS_KEY_ID"],
        secret_key=settings["AWS_SECRET_ACCESS_KEY"],
        bucket=bucket,
        root=root,
    )
