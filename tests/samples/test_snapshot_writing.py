import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from formats.manifest import decode_manifest
from formats.metadata import manifest_keys, read_metadata
from samples.collection import SampleShape
from samples.snapshot import build_ids, write_sample
from tests.samples.bucket_twin import BucketTwin

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHAPE = SampleShape(segments=3, megabytes=0.6, l0_segments=1, collection_id=100)


@pytest.fixture
def twin() -> BucketTwin:
    return BucketTwin()


def test_snapshot_lies_at_milvus_keys_with_the_metadata_last(twin: BucketTwin) -> None:
    written = write_sample(twin.client, "a-bucket", SHAPE)
    assert list(twin.objects)[-1] == written.key == "files/snapshots/100/metadata/1099.json"
    assert written.uri == "s3://a-bucket/files/snapshots/100/metadata/1099.json"
    assert list(twin.objects)[-5:-1] == [
        f"files/snapshots/100/manifests/1099/{segment}.avro" for segment in (1100, 2100, 3100, 4100)
    ]


def test_snapshot_reads_back_as_it_was_made(twin: BucketTwin) -> None:
    written = write_sample(twin.client, "a-bucket", SHAPE)
    metadata = read_metadata(twin.objects[written.key], key=written.key)
    keys = manifest_keys(metadata)
    assert tuple(decode_manifest(twin.objects[key], format_version=4, key=key) for key in keys.values()) == (
        written.manifests
    )
    assert set(metadata.build_ids) == build_ids(written.manifests)
    assert dict(metadata.collection.partitions) == SHAPE.partition_ids
    assert [field.fieldID for field in metadata.collection.schema.fields] == [0, 1, *range(100, 109)]


def test_metadata_says_what_milvus_writes_before_it_commits(twin: BucketTwin) -> None:
    written = write_sample(twin.client, "a-bucket", SHAPE)
    value = json.loads(twin.objects[written.key])
    assert value["snapshot_info"]["state"] == "SnapshotStatePending"
    assert "s3_location" not in value["snapshot_info"]
    assert value["layout"] == "SnapshotLayoutReferenced"
    assert value["collection"]["virtual_channel_names"] == [
        "by-dev-rootcoord-dml_0_100v0",
        "by-dev-rootcoord-dml_1_100v1",
    ]


def test_digests_and_counts_are_those_of_what_was_stored(twin: BucketTwin) -> None:
    written = write_sample(twin.client, "a-bucket", SHAPE)
    data = {key: body for key, body in twin.objects.items() if "/snapshots/" not in key}
    assert written.digests == {key: hashlib.sha256(body).hexdigest() for key, body in twin.objects.items()}
    assert (written.objects, written.bytes) == (len(data), sum(map(len, data.values())))


def test_a_real_store_holds_the_sample(s3_client: "S3Client", bucket: str) -> None:
    written = write_sample(s3_client, bucket, SHAPE)
    pages = s3_client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    sizes = {entry["Key"]: entry["Size"] for page in pages for entry in page["Contents"]}
    assert sizes.keys() == written.digests.keys()
    assert sum(size for key, size in sizes.items() if "/snapshots/" not in key) == written.bytes
