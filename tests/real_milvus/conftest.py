"""A real Milvus with a worker of ours beside it; only `make test-milvus` runs these tests."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from samples.milvus.configuration import Place
from starter.stack import Stack
from tests.real_milvus import desk as desks
from tests.real_milvus import story
from tests.real_milvus.cluster import Cluster, cluster
from tests.real_milvus.desk import Desk
from tests.real_milvus.kinds import ORDERS, Kind
from tests.real_milvus.story import Source, Target, Twin
from tests.real_milvus.use import Use, use

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_HERE = Path(__file__).parent
_TIMES = pytest.StashKey[list[str]]()
_SECONDS = 300
"""For a test with all that it waits for: the first ones wait for the whole story."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.real_milvus)
            item.add_marker(pytest.mark.timeout(_SECONDS))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in terminalreporter.config.stash.get(_TIMES, []):
        terminalreporter.write_line(line)


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
def restored(
    request: pytest.FixtureRequest, first: Cluster, desk: Desk, source: Source, twin: Twin
) -> dict[Kind, Target]:
    """What came back after the sources were changed and dropped."""
    assert twin.rounds
    story.drop_sources(first)
    return _timed(request.config, "the same cluster", story.restore_all(first, desk, source))


@pytest.fixture(scope="session")
def used(first: Cluster, restored: dict[Kind, Target]) -> Use:
    """A restored collection after all that one does with a collection."""
    deleted = [*range(3, 300, 30), *range(1_500, 1_530), *range(11_000, 11_020), *range(20_100, 20_110)]
    target = restored[ORDERS]
    return use(first, ORDERS, target.name, partition="east", deleted=deleted, inserted=range(40_000, 40_300))


@pytest.fixture(scope="session")
def standby(
    stack: Stack, s3_client: "S3Client", tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """Another cluster, with an etcd and a bucket of its own, and other root paths in them."""
    folder = tmp_path_factory.mktemp("standby")
    etcd = Stack(folder / "stack", bound=True)
    try:
        etcd.up(temporal=False, s3=False)
        place = place_in(stack, etcd, s3_client, etcd_root="standby", root="other/files")
        with cluster(place, s3_client, folder) as running:
            yield running
    finally:
        etcd.down()


@pytest.fixture(scope="session")
def restored_abroad(
    request: pytest.FixtureRequest,
    first: Cluster,
    standby: Cluster,
    source: Source,
    stack: Stack,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[Kind, Target]:
    """The same snapshots restored into the other cluster, with the target's ids in its logs."""
    folder = tmp_path_factory.mktemp("standby-desk")
    (folder / "restore.toml").write_text(desks.profile("primary", first))
    environment = {**standby.settings(), "RESTORE_CONFIG": str(folder / "restore.toml")}
    with desks.opened(environment, stack.server("temporal").address, folder) as opened:
        found = story.restore_all(standby, opened, source, "--source", "primary", "--rewrite-descriptors")
    return _timed(request.config, "another cluster", found)


@pytest.fixture(params=("first", "standby"))
def targets(request: pytest.FixtureRequest) -> dict[Kind, Target]:
    """What was restored, at home and abroad."""
    found: dict[Kind, Target] = request.getfixturevalue(
        "restored" if request.param == "first" else "restored_abroad"
    )
    return found


def _timed(config: pytest.Config, where: str, targets: dict[Kind, Target]) -> dict[Kind, Target]:
    """The targets; how long they took is told at the end."""
    last = [*targets.values()][-1]
    rows = sum(target.result["rows"] for target in targets.values())
    config.stash.setdefault(_TIMES, []).append(
        f"restored into {where}: {rows:,} rows in {last.seconds_restored:.1f} s, "
        f"queryable after {last.seconds_queryable:.1f} s with the coordinator's restart and both loads"
    )
    return targets


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
