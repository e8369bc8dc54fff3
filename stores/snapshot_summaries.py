"""Reading snapshots for people: all records of a cluster, or the files of one snapshot."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from formats.census import SegmentCensus
from formats.proto.data_pb2 import SnapshotInfo, SnapshotState
from formats.segment import SegmentManifest
from restore.parameters import texts
from restore.plan import segment_objects
from restore.recorded_sizes import built_bytes
from restore.snapshot_summary import (
    IndexSummary,
    PartitionSummary,
    Pin,
    SnapshotEntry,
    SnapshotSummary,
    State,
)
from stores.catalog import all_collections
from stores.ports import ObjectStore
from stores.segment_trees import SegmentTrees
from stores.snapshot_catalog import SnapshotCatalog
from stores.snapshot_records import SnapshotRecord, recorded_by
from stores.snapshots import OpenSnapshot

_LOGICAL_BITS = 18


@dataclass(slots=True)
class _Tally:
    """Sums over segments."""

    segments: Counter[int]
    rows: Counter[int]
    builds: Counter[str]
    objects: int = 0
    bytes: int = 0


def snapshot_entries(catalog: SnapshotCatalog, records: Iterable[SnapshotRecord]) -> Iterator[SnapshotEntry]:
    """Yield each record for people, with its collection's name where the catalog still has it."""
    names, now = all_collections(catalog.metadata, catalog.keys), datetime.now(UTC)
    for record in records:
        info = record.info
        database, collection = names.get(info.collection_id, (None, None))
        yield SnapshotEntry(
            name=info.name,
            snapshot_id=str(info.id),
            database=database,
            collection=collection,
            collection_id=str(info.collection_id),
            state=_state(info),
            created_at=_created(info).isoformat(timespec="seconds"),
            age_seconds=_age(info, now),
            pins=sum(not pin.expired for pin in _pins(info, now)),
            recorded=recorded_by(native=record.native),
            metadata=info.s3_location,
        )


def summarize(
    snapshot: OpenSnapshot,
    record: SnapshotRecord | None,
    objects: ObjectStore,
    threads: Executor,
    tell: Callable[[int], None],
) -> SnapshotSummary:
    """Return what the snapshot contains, every manifest read; `tell` hears of each segment.

    Raises SnapshotCorrupt, UnsupportedFormat or ObjectMissing for one that a restore could not read either.
    """
    info, now = record.info if record else snapshot.metadata.snapshot_info, datetime.now(UTC)
    collection, tally = snapshot.metadata.collection, _tally(snapshot, objects, threads, tell)
    return SnapshotSummary(
        name=info.name,
        snapshot_id=str(info.id),
        database=collection.schema.dbName or "default",
        collection=collection.schema.name,
        collection_id=str(info.collection_id),
        description=info.description,
        state=_state(info),
        recorded=recorded_by(native=record.native) if record else None,
        created_at=_created(info).isoformat(timespec="seconds"),
        age_seconds=_age(info, now),
        format_version=snapshot.metadata.format_version,
        shards=len(collection.virtual_channel_names) or collection.num_shards,
        segments=tally.segments.total(),
        rows=tally.rows.total(),
        objects=tally.objects,
        bytes=tally.bytes,
        partitions=_partitions(snapshot, tally),
        indexes=_indexes(snapshot, tally),
        pins=tuple(_pins(info, now)),
        sealed=snapshot.seal is not None,
        metadata=str(snapshot.at),
    )


def _tally(
    snapshot: OpenSnapshot, objects: ObjectStore, threads: Executor, tell: Callable[[int], None]
) -> _Tally:
    tally = _Tally(Counter(), Counter(), Counter())
    trees = SegmentTrees(objects, snapshot.at.bucket)
    census = SegmentCensus(snapshot.metadata, snapshot.roots)
    for manifest in snapshot.manifests(objects, threads):
        admitted = census.admit(manifest)
        tree = trees.look(admitted)
        _count(tally, admitted)
        named = list(segment_objects(admitted, tree))
        tally.objects += len(named)
        tally.bytes += sum(recorded or 0 for _, _, recorded in named) + built_bytes(admitted)
        tell(tally.segments.total())
    census.close()
    return tally


def _count(tally: _Tally, manifest: SegmentManifest) -> None:
    tally.segments[manifest.partition_id] += 1
    tally.rows[manifest.partition_id] += manifest.num_of_rows
    tally.builds.update({index.index_name for index in manifest.index_files})


def _partitions(snapshot: OpenSnapshot, tally: _Tally) -> tuple[PartitionSummary, ...]:
    partitions = snapshot.metadata.collection.partitions
    return tuple(
        PartitionSummary(
            name=name, partition_id=str(number), segments=tally.segments[number], rows=tally.rows[number]
        )
        for name, number in sorted(partitions.items())
    )


def _indexes(snapshot: OpenSnapshot, tally: _Tally) -> tuple[IndexSummary, ...]:
    fields = {each.fieldID: each.name for each in snapshot.metadata.collection.schema.fields}
    return tuple(
        IndexSummary(
            name=index.index_name,
            field=fields.get(index.fieldID, str(index.fieldID)),
            index_type=texts(index.index_params).get("index_type", ""),
            index_id=str(index.indexID),
            builds=tally.builds[index.index_name],
        )
        for index in snapshot.metadata.indexes
    )


def _pins(info: SnapshotInfo, now: datetime) -> Iterator[Pin]:
    for number in info.pin_ids:
        end = info.pin_expire_at_ms.get(number, 0)
        expires = datetime.fromtimestamp(end / 1000, UTC) if end else None
        yield Pin(
            pin_id=str(number),
            expires_at=expires.isoformat(timespec="seconds") if expires else None,
            expired=expires is not None and expires <= now,
        )


def _created(info: SnapshotInfo) -> datetime:
    """When its making began; older records tell only where it ends in the write-ahead log."""
    milliseconds = info.pending_start_time or (info.create_ts % 2**64) >> _LOGICAL_BITS
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _age(info: SnapshotInfo, now: datetime) -> int:
    return max(0, int((now - _created(info)).total_seconds()))


def _state(info: SnapshotInfo) -> State:
    name = SnapshotState.Name(info.state).removeprefix("SnapshotState").lower()
    return cast("State", name)
