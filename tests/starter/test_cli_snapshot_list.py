"""`milvus-restore snapshot list` and `describe`."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from formats.keys import MetaKeys
from formats.proto.data_pb2 import (
    SnapshotInfo,
    SnapshotStateCommitted,
    SnapshotStateDeleting,
    SnapshotStatePending,
)
from samples.catalog import source_records
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, snapshot_info, write_sample
from starter.snapshot_text import age
from starter.stack import Stack
from starter.yaml_text import yaml_text
from stores.etcd import Etcd3Client
from tests.starter.command_line import CommandLine

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHAPE = SampleShape(segments=3, l0_segments=1, partitions=2, megabytes=0.1, dim=4, storage_versions=(0, 3))
NEVER, PAST = 77, 78


@pytest.fixture
def etcd(etcd_endpoint: str) -> Iterator[Etcd3Client]:
    with Etcd3Client([etcd_endpoint]) as client:
        yield client


@pytest.fixture
def snapshots(cli: CommandLine, stack: Stack, bucket: str, etcd_root: str) -> CommandLine:
    """The command line with an empty cluster as its default profile."""
    cli.more |= {**stack.settings(), "RESTORE_S3_BUCKET": bucket, "RESTORE_ETCD_ROOT_PATH": etcd_root}
    return cli


@pytest.fixture
def written(s3_client: "S3Client", bucket: str, etcd: Etcd3Client, etcd_root: str) -> WrittenSample:
    """A collection with a snapshot that Milvus has taken, pinned twice."""
    written = write_sample(s3_client, bucket, SHAPE)
    for key, message in source_records(written, f"{etcd_root}/meta").items():
        if isinstance(message, SnapshotInfo):
            message.pin_ids.extend([NEVER, PAST])
            message.pin_expire_at_ms[PAST] = 1_000
        etcd.put(key, message.SerializeToString())
    return written


async def told(cli: CommandLine, *words: str) -> Any:
    ended = await cli.run("snapshot", *words, "-o", "json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)


def record(etcd: Etcd3Client, key: str, **changes: object) -> None:
    info = snapshot_info(SHAPE)
    info.MergeFrom(SnapshotInfo(**changes))  # type: ignore[arg-type]  # fields of the message by name
    etcd.put(key, info.SerializeToString())


async def test_all_snapshots_are_listed_whoever_recorded_them_and_whatever_became_of_them(
    snapshots: CommandLine, written: WrittenSample, etcd: Etcd3Client, etcd_root: str
) -> None:
    keys, collection = MetaKeys(etcd_root), SHAPE.collection_id
    record(etcd, keys.own_snapshot(collection, 5), id=5, name="weekly", state=SnapshotStatePending)
    record(etcd, keys.own_snapshot(7, 6), id=6, name="old", collection_id=7, state=SnapshotStateDeleting)

    found = {each["name"]: each for each in await told(snapshots, "list")}

    assert {name: (each["state"], each["recorded"]) for name, each in found.items()} == {
        "nightly": ("committed", "milvus"),
        "weekly": ("pending", "milvus-restore"),
        "old": ("deleting", "milvus-restore"),
    }
    assert (found["nightly"]["pins"], found["nightly"]["metadata"]) == (1, written.key)
    assert (found["nightly"]["database"], found["nightly"]["collection"]) == ("default", SHAPE.name)
    assert (found["old"]["collection"], found["old"]["collection_id"]) == (None, "7")

    only = await told(snapshots, "list", f"default/{SHAPE.name}")
    assert {each["name"] for each in only} == {"nightly", "weekly"}
    table = (await snapshots.run("snapshot", "list")).out
    assert "(dropped) 7" in table
    assert f"default/{SHAPE.name}" in table
    in_yaml = await snapshots.run("snapshot", "list", "-o", "yaml")
    listed = yaml.safe_load(in_yaml.out)
    assert {each["snapshot_id"] for each in listed} == {each["snapshot_id"] for each in found.values()}


async def test_a_cluster_without_snapshots_says_so(snapshots: CommandLine) -> None:
    ended = await snapshots.run("snapshot", "list")
    assert (ended.code, ended.out, ended.err.strip()) == (0, "", "there is no snapshot")
    assert await told(snapshots, "list") == []
    absent = await snapshots.run("snapshot", "list", "orders")
    assert (absent.code, "CollectionNotFound" in absent.err) == (1, True)


async def test_a_snapshot_is_described_by_whatever_names_it(
    snapshots: CommandLine, written: WrittenSample
) -> None:
    named = [
        SHAPE.snapshot,
        f"{SHAPE.name}/nightly",
        f"default/{SHAPE.name}/nightly",
        written.uri,
        written.key,
    ]
    described = [await told(snapshots, "describe", each) for each in named]
    for each in described:
        each.pop("age_seconds")
    summary = described[0]
    assert described == [summary] * len(named)

    rows = sum(each.num_of_rows for each in written.manifests)
    assert (summary["segments"], summary["rows"]) == (len(written.manifests), rows)
    assert (summary["objects"], summary["bytes"]) == (written.objects, written.bytes)
    assert (summary["format_version"], summary["shards"], summary["sealed"]) == (4, SHAPE.shards, False)
    assert {pin["pin_id"]: pin["expired"] for pin in summary["pins"]} == {str(NEVER): False, str(PAST): True}
    embedding = next(each for each in summary["indexes"] if each["name"] == "embedding_hnsw")
    assert (embedding["field"], embedding["index_type"], embedding["builds"]) == ("embedding", "HNSW", 3)
    by_name = {each["name"]: each for each in summary["partitions"]}
    assert sum(each["rows"] for each in by_name.values()) == rows

    table = (await snapshots.run("snapshot", "describe", SHAPE.snapshot)).out
    for text in (f"default/{SHAPE.name}/nightly", f"{rows:,}", "embedding_hnsw", "_default", str(NEVER)):
        assert text in table
    assert str(PAST) not in table


async def test_a_name_that_two_collections_have_must_be_told_apart(
    snapshots: CommandLine, written: WrittenSample, etcd: Etcd3Client, etcd_root: str
) -> None:
    key = MetaKeys(etcd_root).own_snapshot(7, 6)
    record(etcd, key, id=6, collection_id=7, state=SnapshotStateCommitted, s3_location=written.key)
    both = await snapshots.run("snapshot", "describe", "nightly")
    assert (both.code, "2 collections have a snapshot 'nightly'" in both.err) == (2, True)
    none = await snapshots.run("snapshot", "describe", "monthly")
    assert (none.code, "SnapshotNotFound" in none.err) == (1, True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7_199, "1 h"), (86_400, "1 d"), (10**7, "115 d")],
)
def test_an_age_is_said_in_the_largest_unit_that_fits(seconds: int, said: str) -> None:
    assert age(seconds) == said


PLAIN = st.none() | st.booleans() | st.integers() | st.text()


@given(
    st.recursive(
        PLAIN,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_yaml_reads_back_as_what_it_was(value: Any) -> None:
    assert yaml.safe_load(yaml_text(value)) == value
