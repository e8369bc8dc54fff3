"""What the sample writes is what the product reads: snapshot and target fit without a difference."""

from collections.abc import Callable

import pytest

from formats.census import SegmentCensus
from formats.keys import MetaKeys
from formats.location import SnapshotLocation
from formats.manifest import decode_manifest
from formats.metadata import read_metadata
from formats.roots import SnapshotRoots
from restore.comparison import differences
from samples.catalog import write_source, write_target
from samples.collection import SampleShape
from samples.snapshot import WrittenSample, write_sample
from stores.catalog import read_collection
from stores.memory import MemoryMetadataStore
from stores.ports import Transaction
from tests.samples.bucket_twin import BucketTwin

SHAPE = SampleShape(segments=8, megabytes=1.6, dim=16, l0_segments=2)


@pytest.fixture(scope="module")
def bucket() -> BucketTwin:
    return BucketTwin()


@pytest.fixture(scope="module")
def written(bucket: BucketTwin) -> WrittenSample:
    return write_sample(bucket.client, "a-bucket", SHAPE)


def putting(store: MemoryMetadataStore) -> Callable[[str, bytes], None]:
    def put(key: str, value: bytes) -> None:
        assert store.commit(Transaction(puts={key: value}))

    return put


def test_every_segment_is_admitted(bucket: BucketTwin, written: WrittenSample) -> None:
    metadata = read_metadata(bucket.objects[written.key], key=written.key)
    roots = SnapshotRoots.of(SnapshotLocation.parse(written.uri), metadata)
    census = SegmentCensus(metadata, roots)
    for key in roots.manifest_keys(metadata):
        census.admit(decode_manifest(bucket.objects[key], format_version=4, key=key))
    census.close()


def test_the_target_fits_the_snapshot(bucket: BucketTwin, written: WrittenSample) -> None:
    store = MemoryMetadataStore()
    write_source(putting(store), written)
    target = write_target(putting(store), SHAPE, collection="copy")
    metadata = read_metadata(bucket.objects[written.key], key=written.key)
    found = read_collection(store, MetaKeys(), "default", "copy")
    assert found.id == target
    assert differences(metadata.collection, metadata.indexes, found) == []
