from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache

import pytest

from formats.manifest import decode_manifest
from restore.errors import InvalidRequest, SnapshotCorrupt, SnapshotNotFound, UnsupportedFormat
from samples.collection import sample_segment
from samples.shape import SampleShape
from samples.snapshot import manifest_key, metadata_key, snapshot_files
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from stores.snapshots import OpenSnapshot, open_snapshot

SHAPE = SampleShape(segments=3, partitions=2, megabytes=0.1, dim=4)
KEY = metadata_key(SHAPE)
OWN, OTHER = "own", "other"


@cache
def files() -> dict[str, bytes]:
    segments = (sample_segment(SHAPE, number) for number in range(SHAPE.segments))
    return snapshot_files(SHAPE, [segment.manifest for segment in segments])


def keep(store: MemoryObjectStore, bucket: str, prefix: str = "") -> None:
    for key, body in files().items():
        store.put(Location(bucket, f"{prefix}{key}"), body)


@pytest.fixture
def store() -> MemoryObjectStore:
    return MemoryObjectStore(OWN, OTHER)


@pytest.fixture
def kept(store: MemoryObjectStore) -> MemoryObjectStore:
    keep(store, OWN)
    return store


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def change(store: MemoryObjectStore, old: str, new: str) -> None:
    text = files()[KEY].decode()
    assert old in text
    store.put(Location(OWN, KEY), text.replace(old, new).encode())


@pytest.mark.parametrize("text", [f"s3://{OWN}/{KEY}", KEY], ids=["uri", "key"])
def test_a_snapshot_is_opened_by_uri_and_by_key(kept: MemoryObjectStore, text: str) -> None:
    opened = open_snapshot(kept, OWN, text)
    assert opened.source.uri == f"s3://{OWN}/{KEY}"
    assert (opened.source.name, opened.source.id) == ("nightly", SHAPE.snapshot_id)
    assert (opened.source.collection, opened.source.collection_id) == ("sample", SHAPE.collection_id)
    assert (opened.source.root, opened.source.format_version) == ("files", 4)
    stat = kept.stat(Location(OWN, KEY))
    assert stat is not None
    assert opened.etag == opened.source.etag == stat.etag


def test_a_uri_may_lead_to_another_bucket(store: MemoryObjectStore, threads: Executor) -> None:
    keep(store, OTHER)
    opened = open_snapshot(store, OWN, f"s3://{OTHER}/{KEY}")
    assert opened.source.bucket == OTHER
    assert len(list(opened.manifests(store, threads))) == SHAPE.segments
    with pytest.raises(SnapshotNotFound):
        open_snapshot(store, OWN, KEY)


def test_manifests_come_in_the_snapshots_order_as_they_were_written(
    kept: MemoryObjectStore, threads: Executor
) -> None:
    opened = open_snapshot(kept, OWN, KEY)
    expected = [
        decode_manifest(files()[key], format_version=4, key=key) for key in opened.metadata.manifest_list
    ]
    assert list(opened.manifests(kept, threads)) == expected
    assert [each.segment_id for each in expected] == [SHAPE.segment_id(number) for number in range(3)]


@pytest.mark.parametrize(
    "text", [f"s3://{OWN}/{KEY}", f"s3://nowhere/{KEY}", KEY], ids=["object", "bucket", "key"]
)
def test_an_absent_metadata_file_is_no_snapshot(store: MemoryObjectStore, text: str) -> None:
    with pytest.raises(SnapshotNotFound, match=f"no snapshot metadata at s3://.*/{KEY} .profile 'default'"):
        open_snapshot(store, OWN, text)


@pytest.mark.parametrize(
    "text",
    ["s3://own/files/snapshots/1/metadata/x.json", "files/../snapshots/1/metadata/2.json", "s3://own", ""],
)
def test_a_text_that_names_no_metadata_file_is_an_invalid_request(kept: MemoryObjectStore, text: str) -> None:
    with pytest.raises(InvalidRequest):
        open_snapshot(kept, OWN, text)


@pytest.mark.parametrize("length", [0, 1, 100, -2])
def test_a_truncated_metadata_file_is_corrupt(kept: MemoryObjectStore, length: int) -> None:
    kept.put(Location(OWN, KEY), files()[KEY][:length])
    with pytest.raises(SnapshotCorrupt, match=KEY):
        open_snapshot(kept, OWN, KEY)


def test_the_metadata_of_another_snapshot_at_this_key_is_corrupt(kept: MemoryObjectStore) -> None:
    change(kept, f'"id": "{SHAPE.snapshot_id}"', f'"id": "{SHAPE.snapshot_id + 1}"')
    with pytest.raises(SnapshotCorrupt, match=KEY):
        open_snapshot(kept, OWN, KEY)


def test_a_newer_format_version_is_unsupported(kept: MemoryObjectStore) -> None:
    change(kept, '"format_version": 4', '"format_version": 5')
    with pytest.raises(UnsupportedFormat, match="5"):
        open_snapshot(kept, OWN, KEY)


def opened(store: MemoryObjectStore) -> OpenSnapshot:
    return open_snapshot(store, OWN, KEY)


def test_an_absent_manifest_is_named(kept: MemoryObjectStore, threads: Executor) -> None:
    key = manifest_key(SHAPE, SHAPE.segment_id(1))
    kept.delete(OWN, [key])
    with pytest.raises(SnapshotCorrupt, match=f"segment manifest s3://{OWN}/{key} is absent, though .*{KEY}"):
        list(opened(kept).manifests(kept, threads))


@pytest.mark.parametrize("length", [0, 3, 2000, -1])
def test_a_truncated_manifest_is_named(kept: MemoryObjectStore, threads: Executor, length: int) -> None:
    key = manifest_key(SHAPE, SHAPE.segment_id(2))
    kept.put(Location(OWN, key), files()[key][:length])
    with pytest.raises(SnapshotCorrupt, match=key):
        list(opened(kept).manifests(kept, threads))


def test_the_manifests_before_a_bad_one_are_given(kept: MemoryObjectStore, threads: Executor) -> None:
    kept.delete(OWN, [manifest_key(SHAPE, SHAPE.segment_id(1))])
    manifests = opened(kept).manifests(kept, threads)
    assert next(manifests).segment_id == SHAPE.segment_id(0)
