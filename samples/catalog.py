"""What a Milvus cluster's etcd holds of a sample: its collection, and an empty one to restore into.

Keys are those of real-milvus.md, section 2, and segment-restore.md, section 3, and are spelled here a
second time on purpose: they check the product's own.
"""

from collections.abc import Callable

from google.protobuf.message import Message

from formats.proto.common_pb2 import RocksMQ
from formats.proto.data_pb2 import SnapshotState
from formats.proto.index_pb2 import FieldIndex
from formats.proto.msg_pb2 import MsgPosition
from formats.segment import Position, SegmentManifest
from samples import schema
from samples.records import Placement, segment_records
from samples.root_coord import CatalogCollection, name_number, root_records
from samples.shape import BORN_MS, SampleShape, tso
from samples.snapshot import WrittenSample, build_ids, snapshot_info

Put = Callable[[str, bytes], None]

META = "by-dev/meta"
HOUR_MS = 3_600_000
TARGET_CHANNEL = 9
"""The pchannel of a target's first shard: dml_9 comes before dml_10 by shard, but after it by text."""


def write_target(
    put: Put, shape: SampleShape, *, meta: str = META, collection: str, database: str = "default"
) -> int:
    """The new collection's id; every record that a cluster keeps of it while it is empty has been put."""
    target = target_collection(shape, collection=collection, database=database)
    _put_all(put, collection_records(target, meta))
    return target.collection_id


def write_source(put: Put, written: WrittenSample, *, meta: str = META) -> int:
    """The number of records put: the source's collection, its segments and its committed snapshot."""
    records = source_records(written, meta)
    _put_all(put, records)
    return len(records)


def source_collection(shape: SampleShape) -> CatalogCollection:
    """The collection that the sample's snapshot was taken of, two days older than its rows."""
    channels = shape.physical_channels
    born = BORN_MS - 72 * HOUR_MS
    return CatalogCollection(shape, shape.name, shape.database, shape.collection_id, channels, born)


def target_collection(shape: SampleShape, *, collection: str, database: str) -> CatalogCollection:
    """An empty collection of the sample's schema, its ids a function of its names."""
    # A source's ids may be as high as ids go.
    number = shape.collection_id % 2**62 + ((1 + name_number(f"{database}/{collection}")) << 32)
    shards = range(TARGET_CHANNEL, TARGET_CHANNEL + shape.shards)
    channels = tuple(f"by-dev-rootcoord-dml_{channel}" for channel in shards)
    return CatalogCollection(shape, collection, database, number, channels, BORN_MS + HOUR_MS)


def collection_records(catalog: CatalogCollection, meta: str) -> dict[str, Message]:
    """A collection's own records: RootCoord's, its indexes and its channels' checkpoints."""
    records = {**root_records(catalog), **_field_indexes(catalog), **_checkpoints(catalog)}
    return {f"{meta}/{key}": message for key, message in records.items()}


def source_records(written: WrittenSample, meta: str) -> dict[str, Message]:
    """All records of the source collection by absolute key, its segments' and its snapshot's included."""
    catalog = source_collection(written.shape)
    records = collection_records(catalog, meta) | _sought(written.shape, meta)
    for manifest in written.manifests:
        records |= segment_records(manifest, _in_place(catalog, manifest, meta))
    committed = snapshot_info(written.shape)
    committed.state = SnapshotState.SnapshotStateCommitted
    committed.s3_location = written.key
    return {**records, f"{meta}/datacoord-meta/snapshot/{catalog.collection_id}/{committed.id}": committed}


def _sought(shape: SampleShape, meta: str) -> dict[str, Message]:
    """The checkpoints of a collection that was consumed as far as its snapshot says."""
    positions = snapshot_info(shape).channel_seek_positions
    return {f"{meta}/datacoord-meta/channel-cp/{each.channel_name}": each for each in positions}


def wal_position(position: Position, channel: str) -> MsgPosition:
    """A manifest's position as a record holds it, on a channel."""
    return MsgPosition(
        channel_name=channel,
        msgID=position.msg_id,
        msgGroup=position.msg_group,
        timestamp=position.timestamp,
    )


def _in_place(catalog: CatalogCollection, manifest: SegmentManifest, meta: str) -> Placement:
    """The segment where its manifest says: its own ids and its own builds."""
    channel = manifest.channel_name
    return Placement(
        meta=meta,
        root=catalog.shape.root,
        collection=catalog.collection_id,
        partition=manifest.partition_id,
        segment=manifest.segment_id,
        channel=channel,
        start=wal_position(manifest.start_position, channel),
        dml=wal_position(manifest.dml_position, channel),
        builds={build: build for build in build_ids([manifest])},
        indexes={
            index.name: catalog.index_id(number)
            for number, index in enumerate(schema.definitions(catalog.shape))
        },
        indexed_at=BORN_MS // 1000,
    )


def _field_indexes(catalog: CatalogCollection) -> dict[str, Message]:
    return {
        f"field-index/{catalog.collection_id}/{catalog.index_id(number)}": _field_index(catalog, number)
        for number in range(len(schema.definitions(catalog.shape)))
    }


def _field_index(catalog: CatalogCollection, number: int) -> FieldIndex:
    info = schema.index_info(catalog.shape, number)
    own = catalog.collection_id == catalog.shape.collection_id
    kept = [pair for pair in info.type_params if own or pair.key != "mmap.enabled"]
    del info.type_params[:]
    info.type_params.extend(kept)
    info.collectionID = catalog.collection_id
    info.indexID = catalog.index_id(number)
    return FieldIndex(index_info=info, create_time=catalog.created_ms * 1_000_000)


def _checkpoints(catalog: CatalogCollection) -> dict[str, Message]:
    return {
        f"datacoord-meta/channel-cp/{channel}": MsgPosition(
            channel_name=channel,
            msgID=bytes([2, shard, 0, 0, 0, 0, 0, 0]),
            msgGroup="by-dev-dataNode-2",
            timestamp=tso(catalog.created_ms + HOUR_MS),
            WAL_name=RocksMQ,
        )
        for shard, channel in enumerate(catalog.virtual_channels)
    }


def _put_all(put: Put, records: dict[str, Message]) -> None:
    for key, message in records.items():
        put(key, message.SerializeToString(deterministic=True))
