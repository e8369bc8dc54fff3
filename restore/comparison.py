"""The differences between a snapshot's collection and the target that make a restore wrong.

Field ids, types, shards, partitions and index definitions are in the copied files or decide where
later writes go, so they must be equal; what only steers serving, such as mmap, need not
(segment-restore.md, sections 1.2 to 1.4).
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from formats.catalog import TargetCollection
from formats.proto.data_pb2 import CollectionDescription
from formats.proto.index_pb2 import IndexInfo
from formats.proto.schema_pb2 import CollectionSchema
from restore.field_comparison import field_differences, function_differences
from restore.parameters import index_parameters


def differences(
    snapshot: CollectionDescription,
    indexes: Sequence[IndexInfo],
    target: TargetCollection,
    partitions: Collection[str] | None = None,
) -> list[str]:
    """Return one line per difference that makes the restore wrong; an empty list when there is none.

    A line names the field, partition or index, what the snapshot has (expected) and what the target has
    (found). `partitions` narrows the partitions that must exist to those that are restored.
    """
    return [
        *field_differences(snapshot.schema, target.schema),
        *function_differences(snapshot.schema, target.schema),
        *_dynamic_differences(snapshot.schema, target.schema),
        *_shard_differences(snapshot, target),
        *_partition_differences(snapshot, target, partitions),
        *_index_differences(indexes, target.indexes),
    ]


def _dynamic_differences(expected: CollectionSchema, found: CollectionSchema) -> Iterator[str]:
    if expected.enable_dynamic_field != found.enable_dynamic_field:
        yield (
            f"dynamic field: expected {_onoff(expected.enable_dynamic_field)}, "
            f"found {_onoff(found.enable_dynamic_field)}"
        )


def _shard_differences(snapshot: CollectionDescription, target: TargetCollection) -> Iterator[str]:
    expected = len(snapshot.virtual_channel_names) or snapshot.num_shards
    if expected != target.shards:
        yield f"shards: expected {expected}, found {target.shards}"
    elif expected != len(target.vchannels):
        yield f"virtual channels: expected {expected}, found {len(target.vchannels)}"


def _partition_differences(
    snapshot: CollectionDescription, target: TargetCollection, wanted: Collection[str] | None
) -> Iterator[str]:
    names = snapshot.partitions.keys() if wanted is None else wanted
    for name in sorted(set(names) - target.partitions.keys()):
        yield f"partition {name}: expected in the target, found {_listed(target.partitions)}"
    # The partition of a key is its hash modulo the number of partitions.
    keyed = any(field.is_partition_key for field in snapshot.schema.fields)
    if keyed and len(snapshot.partitions) != len(target.partitions):
        yield (
            f"partitions of the partition key: expected {len(snapshot.partitions)}, "
            f"found {len(target.partitions)}"
        )


def _index_differences(expected: Iterable[IndexInfo], found: Iterable[IndexInfo]) -> Iterator[str]:
    there = {index.index_name: index for index in found}
    for index in expected:
        other = there.pop(index.index_name, None)
        if other is None:
            yield f"index {index.index_name} on field {index.fieldID}: expected in the target, found none"
        else:
            yield from _definition_differences(index, other)
    for name, index in there.items():
        # Milvus would build it from copied logs, which name the source's ids.
        yield f"index {name} on field {index.fieldID}: in the target, but not in the snapshot"


def _definition_differences(expected: IndexInfo, found: IndexInfo) -> Iterator[str]:
    label = f"index {expected.index_name}"
    if expected.fieldID != found.fieldID:
        yield f"{label}: field: expected {expected.fieldID}, found {found.fieldID}"
    wanted, present = index_parameters(expected), index_parameters(found)
    for name in sorted(wanted.keys() | present.keys()):
        if wanted.get(name) != present.get(name):
            yield f"{label}: {name}: expected {wanted.get(name, 'none')}, found {present.get(name, 'none')}"


def _onoff(flag: bool) -> str:
    return "on" if flag else "off"


def _listed(names: Iterable[str], limit: int = 8) -> str:
    in_order = sorted(names)
    more = f" and {len(in_order) - limit} more" if len(in_order) > limit else ""
    return f"{', '.join(in_order[:limit]) or 'none'}{more}"
