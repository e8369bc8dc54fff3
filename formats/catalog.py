"""A collection as RootCoord's catalog records it (segment-restore.md, section 3.6)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from formats.proto import etcd_pb2, index_pb2, schema_pb2

DEFAULT_DATABASE = "default"
DEFAULT_DATABASE_ID = 1

_TOMBSTONE = b"\xe2\x9b\xbc"


@dataclass(frozen=True, slots=True)
class TargetCollection:
    """A collection that exists, as far as a restore compares and uses it.

    `schema` has its fields, struct array fields and functions filled in. `partitions` are ids by name,
    `start_positions` the first message ids by physical channel. Only what is created and not dropped
    is in it. `created_at` is hybrid, `consistency_level` the enum's number.
    """

    id: int
    name: str
    database_id: int
    schema: schema_pb2.CollectionSchema
    shards: int
    vchannels: tuple[str, ...]
    partitions: Mapping[str, int]
    indexes: tuple[index_pb2.IndexInfo, ...]
    start_positions: Mapping[str, bytes]
    properties: Mapping[str, str]
    created_at: int = 0
    consistency_level: int = 0


@dataclass(frozen=True, slots=True)
class CollectionParts:
    """What lies in keys of its own beside an etcd.CollectionInfo; older catalogs have some of it inside."""

    fields: tuple[schema_pb2.FieldSchema, ...] = ()
    struct_array_fields: tuple[schema_pb2.StructArrayFieldSchema, ...] = ()
    functions: tuple[schema_pb2.FunctionSchema, ...] = ()
    partitions: tuple[etcd_pb2.PartitionInfo, ...] = ()
    indexes: tuple[index_pb2.FieldIndex, ...] = ()


def is_live(value: bytes) -> bool:
    """True unless the value is the mark that Milvus leaves in place of a deleted record."""
    return value != _TOMBSTONE


def target_collection(
    stored: etcd_pb2.CollectionInfo, database_id: int, parts: CollectionParts
) -> TargetCollection:
    """Returns the collection put together from its records; what has a key of its own wins."""
    return TargetCollection(
        id=stored.ID,
        name=stored.schema.name,
        database_id=database_id,
        schema=_schema(stored.schema, parts),
        shards=stored.shards_num or len(stored.virtual_channel_names),
        vchannels=tuple(stored.virtual_channel_names),
        partitions=_partitions(stored, parts.partitions),
        indexes=tuple(each.index_info for each in parts.indexes if not each.deleted),
        start_positions={pair.key: pair.data for pair in stored.start_positions},
        properties={pair.key: pair.value for pair in stored.properties or stored.schema.properties},
        created_at=stored.create_time,
        consistency_level=stored.consistency_level,
    )


def _schema(stored: schema_pb2.CollectionSchema, parts: CollectionParts) -> schema_pb2.CollectionSchema:
    schema = schema_pb2.CollectionSchema()
    schema.CopyFrom(stored)
    del schema.fields[:], schema.struct_array_fields[:], schema.functions[:]
    schema.fields.extend(_by_id(parts.fields or stored.fields))
    structs = parts.struct_array_fields or stored.struct_array_fields
    schema.struct_array_fields.extend(sorted(structs, key=lambda each: each.fieldID))
    schema.functions.extend(sorted(parts.functions or stored.functions, key=lambda each: each.id))
    return schema


def _by_id(fields: Iterable[schema_pb2.FieldSchema]) -> list[schema_pb2.FieldSchema]:
    created = (each for each in fields if each.state == schema_pb2.FieldCreated)
    return sorted(created, key=lambda each: each.fieldID)


def _partitions(
    stored: etcd_pb2.CollectionInfo, partitions: tuple[etcd_pb2.PartitionInfo, ...]
) -> dict[str, int]:
    if not partitions:
        return dict(zip(stored.partitionNames, stored.partitionIDs, strict=False))
    return {
        each.partitionName: each.partitionID for each in partitions if each.state == etcd_pb2.PartitionCreated
    }
