"""What a snapshot's metadata says of collection and indexes (snapshot-format.md, 3.4 and 3.5)."""

from collections.abc import Iterable, Mapping, Sequence

from formats.catalog import TargetCollection
from formats.manifest_schema import NEWEST_FORMAT
from formats.proto.data_pb2 import (
    CollectionDescription,
    SnapshotInfo,
    SnapshotLayoutReferenced,
    SnapshotMetadata,
    StorageV2SegmentManifest,
)
from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import CollectionSchema

_CONSISTENCY = "consistency_level"


def collection_description(collection: TargetCollection, database: str) -> CollectionDescription:
    """Returns the collection as a snapshot keeps it, the consistency level also as a property of the schema.

    The number of partitions is 1 without a partition key, since only with one is it asked for.
    """
    keyed = any(field.is_partition_key for field in collection.schema.fields)
    description = CollectionDescription(
        schema=_schema(collection, database),
        num_partitions=len(collection.partitions) if keyed else 1,
        num_shards=collection.shards,
        partitions=collection.partitions,
        virtual_channel_names=collection.vchannels,
    )
    description.consistency_level = collection.consistency_level  # type: ignore[assignment]  # its number
    for key, value in collection.properties.items():
        description.properties.add(key=key, value=value)
    return description


def index_definition(index: IndexInfo) -> IndexInfo:
    """Returns what a snapshot keeps of an index: its definition, not how far it is built."""
    return IndexInfo(
        collectionID=index.collectionID,
        fieldID=index.fieldID,
        index_name=index.index_name,
        indexID=index.indexID,
        type_params=index.type_params,
        index_params=index.index_params,
        is_auto_index=index.is_auto_index,
        user_index_params=index.user_index_params,
    )


def snapshot_metadata(
    info: SnapshotInfo,
    collection: CollectionDescription,
    indexes: Iterable[IndexInfo],
    manifests: Mapping[int, str],
    *,
    pointers: Mapping[int, str],
    builds: Sequence[int],
) -> SnapshotMetadata:
    """Returns a referenced snapshot's metadata; `manifests` and `pointers` are by segment, in their order.

    The file says what is known before the commit: the snapshot is pending, and has no location (1.2).
    """
    return SnapshotMetadata(
        format_version=NEWEST_FORMAT,
        snapshot_info=info,
        collection=collection,
        indexes=[index_definition(each) for each in indexes],
        manifest_list=manifests.values(),
        storagev2_manifest_list=[
            StorageV2SegmentManifest(segment_id=segment, manifest=pointer)
            for segment, pointer in pointers.items()
        ],
        segment_ids=manifests,
        build_ids=builds,
        layout=SnapshotLayoutReferenced,
    )


def _schema(collection: TargetCollection, database: str) -> CollectionSchema:
    schema = CollectionSchema()
    schema.CopyFrom(collection.schema)
    schema.dbName = (
        database  # older clusters leave it out, and a dropped collection's snapshot is found by it
    )
    kept = [pair for pair in schema.properties if pair.key != _CONSISTENCY]
    del schema.properties[:]
    schema.properties.extend(kept)
    schema.properties.add(key=_CONSISTENCY, value=str(collection.consistency_level))
    return schema
