"""The records that a plan puts into etcd, derived from it, and what etcd holds of them."""

from collections.abc import Iterator

from formats.keys import MetaKeys
from formats.paths import relocate
from formats.records import hidden_records, is_hidden, segment_info
from restore.plan import Plan, SegmentPlan
from stores.ports import MetadataStore, Record


def segment_key(plan: Plan, segment: SegmentPlan) -> str:
    """The key of a planned segment's SegmentInfo."""
    target = segment.target
    return keys_of(plan).segment(target.collection_id, target.partition_id, target.segment_id)


def keys_of(plan: Plan) -> MetaKeys:
    """The keys of the plan's target cluster."""
    return MetaKeys(plan.target.root_path, plan.target.meta_sub_path)


def hidden_segment(plan: Plan, segment: SegmentPlan) -> bytes:
    """The planned SegmentInfo before its text and JSON indexes are in it."""
    move = plan.move(segment)
    info = segment_info(segment.source, segment.target, lambda path: relocate(path, move))
    return info.SerializeToString(deterministic=True)


def planned_records(plan: Plan, segment: SegmentPlan) -> dict[str, bytes]:
    """Every record of a segment as it is when all is staged and nothing visible."""
    move = plan.move(segment)
    return hidden_records(segment.source, segment.target, keys_of(plan), lambda path: relocate(path, move))


def hidden_segments(metadata: MetadataStore, plan: Plan) -> dict[str, bool]:
    """Every segment that etcd holds of the plan's target, by key: whether it is still hidden."""
    prefix = keys_of(plan).segments(plan.target.collection_id)
    return {record.key: is_hidden(record.value) for record in metadata.scan(prefix)}


def collection_records(
    metadata: MetadataStore, keys: MetaKeys, collection_id: int, *, keys_only: bool = False
) -> Iterator[Record]:
    """Every segment record that etcd holds for a collection, planned or not."""
    for prefix in (
        keys.segments(collection_id),
        keys.binlogs(collection_id),
        keys.statslogs(collection_id),
        keys.deltalogs(collection_id),
        keys.bm25logs(collection_id),
        keys.segment_indexes(collection_id),
    ):
        yield from metadata.scan(prefix, keys_only=keys_only)
