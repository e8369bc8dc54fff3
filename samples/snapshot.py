"""A sample in object storage as Milvus leaves it: segments, their manifests, the metadata file last.

Sections are those of snapshot-format.md.
"""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from formats.manifest import encode_manifest
from formats.metadata import write_metadata
from formats.proto.common_pb2 import ConsistencyLevel
from formats.proto.data_pb2 import (
    CollectionDescription,
    SnapshotInfo,
    SnapshotLayout,
    SnapshotMetadata,
    SnapshotState,
    StorageV2SegmentManifest,
)
from formats.proto.msg_pb2 import MsgPosition
from formats.proto.schema_pb2 import CollectionSchema
from formats.segment import SegmentManifest
from samples import schema
from samples.collection import sample_segment
from samples.shape import SampleShape

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

WRITERS = 8
"""Uploads at once: below the ten connections that a plain client keeps."""

FLUSH_MS = 3_600_000
"""The snapshot was taken this long after the last segment was begun."""


@dataclass(frozen=True, slots=True)
class WrittenSample:
    """A snapshot in its bucket. `digests` has the SHA-256 of every object by key, snapshot files included.

    `key` is the metadata file's and `uri` its `s3://` form; `objects` and `bytes` count the data objects
    alone, which are what a restore copies; `keys` has those of each segment by its id.
    """

    shape: SampleShape
    bucket: str
    key: str
    uri: str
    objects: int
    bytes: int
    digests: Mapping[str, str]
    manifests: tuple[SegmentManifest, ...]
    keys: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _WrittenSegment:
    manifest: SegmentManifest
    bytes: int
    digests: Mapping[str, str]


def write_sample(client: "S3Client", bucket: str, shape: SampleShape) -> WrittenSample:
    """The sample and its snapshot, stored in an existing bucket in Milvus's order (section 1.2)."""

    def write_segment(number: int) -> _WrittenSegment:
        segment = sample_segment(shape, number)
        digests = {key: _put(client, bucket, key, body) for key, body in segment.objects.items()}
        return _WrittenSegment(segment.manifest, sum(map(len, segment.objects.values())), digests)

    with ThreadPoolExecutor(WRITERS) as pool:
        segments = list(pool.map(write_segment, range(shape.all_segments)))
    manifests = tuple(segment.manifest for segment in segments)
    digests = {key: digest for segment in segments for key, digest in segment.digests.items()}
    for key, body in snapshot_files(shape, manifests).items():
        digests[key] = _put(client, bucket, key, body)
    return WrittenSample(
        shape=shape,
        bucket=bucket,
        key=metadata_key(shape),
        uri=f"s3://{bucket}/{metadata_key(shape)}",
        objects=sum(len(segment.digests) for segment in segments),
        bytes=sum(segment.bytes for segment in segments),
        digests=digests,
        manifests=manifests,
        keys={segment.manifest.segment_id: tuple(segment.digests) for segment in segments},
    )


def metadata_key(shape: SampleShape) -> str:
    """The key of the snapshot's metadata file."""
    return f"{_folder(shape)}/metadata/{shape.snapshot_id}.json"


def manifest_key(shape: SampleShape, segment: int) -> str:
    """The key of a segment's manifest."""
    return f"{_folder(shape)}/manifests/{shape.snapshot_id}/{segment}.avro"


def snapshot_files(shape: SampleShape, manifests: Sequence[SegmentManifest]) -> dict[str, bytes]:
    """Every file of the snapshot by key, in the order they are written: the metadata file is last."""
    files = {
        manifest_key(shape, manifest.segment_id): encode_manifest(
            manifest, format_version=shape.format_version
        )
        for manifest in manifests
    }
    return {**files, metadata_key(shape): write_metadata(snapshot_metadata(shape, manifests))}


def snapshot_metadata(shape: SampleShape, manifests: Sequence[SegmentManifest]) -> SnapshotMetadata:
    """What the metadata file says: a referenced snapshot, pending, as the file always is (section 3.3)."""
    return SnapshotMetadata(
        format_version=shape.format_version,
        snapshot_info=snapshot_info(shape),
        collection=_description(shape),
        indexes=[schema.index_info(shape, number) for number in range(len(schema.definitions(shape)))],
        manifest_list=[manifest_key(shape, manifest.segment_id) for manifest in manifests],
        storagev2_manifest_list=[
            StorageV2SegmentManifest(segment_id=each.segment_id, manifest=each.manifest_path)
            for each in manifests
            if each.manifest_path
        ],
        segment_ids=[manifest.segment_id for manifest in manifests],
        build_ids=sorted(build_ids(manifests)),
        layout=SnapshotLayout.SnapshotLayoutReferenced,
    )


def snapshot_info(shape: SampleShape) -> SnapshotInfo:
    """The snapshot's record while it is pending, without its location."""
    taken = shape.write_time(shape.all_segments) + (FLUSH_MS << 18)
    return SnapshotInfo(
        name=shape.snapshot,
        id=shape.snapshot_id,
        description="a sample",
        collection_id=shape.collection_id,
        partition_ids=shape.partition_ids.values(),
        create_ts=taken if taken < 2**63 else taken - 2**64,
        state=SnapshotState.SnapshotStatePending,
        pending_start_time=taken >> 18,
        channel_seek_positions=[
            MsgPosition(channel_name=channel, msgID=bytes([0, 1]), timestamp=taken)
            for channel in sorted(shape.virtual_channels)
        ],
    )


def build_ids(manifests: Sequence[SegmentManifest]) -> set[int]:
    """Every build id that the manifests name; 0 is none."""
    indexes = {index.build_id for manifest in manifests for index in manifest.index_files}
    texts = {text.build_id for manifest in manifests for text in manifest.text_index_files}
    return (indexes | texts | {json.build_id for each in manifests for json in each.json_key_index_files}) - {
        0
    }


def _description(shape: SampleShape) -> CollectionDescription:
    whole = CollectionSchema(fields=schema.fields(shape), functions=schema.functions(shape))
    whole.MergeFrom(schema.collection_schema(name=shape.name, database=shape.database))
    return CollectionDescription(
        schema=whole,
        num_partitions=1,
        num_shards=shape.shards,
        consistency_level=ConsistencyLevel.Bounded,
        properties=schema.pairs(schema.PROPERTIES),
        partitions=shape.partition_ids,
        virtual_channel_names=shape.virtual_channels,
    )


def _folder(shape: SampleShape) -> str:
    return shape.key(f"snapshots/{shape.collection_id}")


def _put(client: "S3Client", bucket: str, key: str, body: bytes) -> str:
    client.put_object(Bucket=bucket, Key=key, Body=body)
    return hashlib.sha256(body).hexdigest()
