"""What to ask of Milvus for a collection like a snapshot's (segment-restore.md, sections 1.3 and 1.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from formats.proto.common_pb2 import ConsistencyLevel
from formats.proto.data_pb2 import CollectionDescription
from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import CollectionSchema
from restore.errors import TargetMismatch
from restore.field_numbering import has_fields_of_server, is_numbered_anew, own_fields, own_structs
from restore.index_creation import IndexDefinition, index_definition
from restore.parameters import texts

_CONSISTENCY = "consistency_level"
_PRESERVE = "preserve_field_ids"

_OF_MILVUS = ("name", "dbName", "version", "properties", "file_resource_ids")
_IN_ORDER = ("fields", "struct_array_fields", "functions")


@dataclass(frozen=True, slots=True)
class CollectionDefinition:
    """A collection that is yet to be made; its name comes with the request.

    `consistency_level` is the enum's number. `num_partitions` is 0 without a partition key; with one, Milvus
    makes the partitions and `partitions` is empty. Otherwise the default partition, which every collection
    has from its beginning, is among them.
    """

    schema: CollectionSchema
    shards: int
    consistency_level: int
    properties: Mapping[str, str]
    num_partitions: int
    partitions: tuple[str, ...]
    indexes: tuple[IndexDefinition, ...]


def collection_definition(
    snapshot: CollectionDescription, indexes: Sequence[IndexInfo]
) -> CollectionDefinition:
    """Return what makes a collection equal to the snapshot's.

    TargetMismatch when Milvus cannot be made to number its fields alike, SnapshotCorrupt for an index on a
    field that there is not.
    """
    schema = _schema(snapshot.schema)
    with_key = any(field.is_partition_key for field in schema.fields)
    by_server = any(field.is_partition_key for field in snapshot.schema.fields)
    return CollectionDefinition(
        schema=schema,
        shards=len(snapshot.virtual_channel_names) or snapshot.num_shards,
        consistency_level=_consistency_level(snapshot),
        properties=_properties(snapshot),
        num_partitions=(len(snapshot.partitions) or snapshot.num_partitions) if with_key else 0,
        partitions=() if by_server else tuple(sorted(snapshot.partitions)),
        indexes=tuple(index_definition(index, snapshot.schema) for index in indexes),
    )


def _schema(source: CollectionSchema) -> CollectionSchema:
    """The snapshot's own, with what this build does not know of it, less what only Milvus may set."""
    schema = CollectionSchema()
    schema.CopyFrom(source)
    for name in (*_OF_MILVUS, *_IN_ORDER):
        schema.ClearField(name)
    schema.fields.extend(own_fields(source))
    schema.functions.extend(sorted(source.functions, key=lambda function: function.id))
    schema.struct_array_fields.extend(own_structs(source))
    for struct in schema.struct_array_fields:
        for field in struct.fields:
            # Milvus keeps `struct[field]`, and puts the two together itself.
            if field.name.startswith(f"{struct.name}["):
                field.name = field.name[len(struct.name) + 1 :].removesuffix("]")
    return schema


def _consistency_level(snapshot: CollectionDescription) -> int:
    """The level that is recorded as text, since the number of an older snapshot is 0 for want of one."""
    text = texts(snapshot.schema.properties).get(_CONSISTENCY, "")
    recorded = text.isdecimal() and int(text) in ConsistencyLevel.values()
    return int(text) if recorded else int(snapshot.consistency_level)


def _properties(snapshot: CollectionDescription) -> dict[str, str]:
    """The collection's properties; older snapshots have them with the schema.

    Of a restored collection, the wish to preserve ids is one of them. It is repeated only where it is needed,
    since Milvus's proxy takes no id of the dynamic field, and would give it a wrong one.
    """
    found = texts(snapshot.properties or snapshot.schema.properties)
    kept = {key: value for key, value in found.items() if key not in (_CONSISTENCY, _PRESERVE)}
    if is_numbered_anew(snapshot.schema):
        return kept
    if has_fields_of_server(snapshot.schema):
        raise TargetMismatch(
            f"collection {snapshot.schema.name!r} had fields or functions added or dropped: a new one would "
            "be numbered otherwise, and Milvus's API takes no id for its dynamic field; make the target "
            "by the same steps as the source, then restore into it"
        )
    return {**kept, _PRESERVE: "true"}
