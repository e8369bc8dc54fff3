"""The segments of a collection as a cluster's etcd has them, each put together from its records.

One partition at a time is held in memory, and of the others only their segments' own records.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from formats.catalog import TargetCollection, is_live
from formats.inclusion import Boundary, Lineage
from formats.keys import MetaKeys
from formats.proto.common_pb2 import Finished
from formats.proto.data_pb2 import L0, FieldBinlog, SegmentInfo
from formats.proto.index_pb2 import SegmentIndex
from formats.recorded_indexes import index_files
from formats.recorded_segment import (
    SegmentRecords,
    committed_pointer,
    delta_logs,
    folders_of,
    has_logs,
    require_owner,
)
from formats.segment import FieldBinlog as DescribedLogs
from formats.segment import IndexFiles
from formats.wire import M, decode
from stores.ports import MetadataStore

Logs = Mapping[int, tuple[FieldBinlog, ...]]

_V3 = 3


@dataclass(frozen=True, slots=True)
class _SideRecords:
    """What lies in keys of its own beside the segments of one partition, by segment id."""

    binlogs: Logs
    statslogs: Logs
    deltalogs: Logs
    bm25logs: Logs
    indexes: Mapping[int, tuple[SegmentIndex, ...]]


class SegmentCatalog:
    """Reads one collection; `root` is the object store's root path."""

    def __init__(self, store: MetadataStore, keys: MetaKeys, collection: TargetCollection, root: str) -> None:
        self._store = store
        self._keys = keys
        self._id = collection.id
        self._root = root
        self._definitions = {each.indexID: each for each in collection.indexes}

    def within(self, boundary: Boundary) -> Iterator[SegmentRecords]:
        """Yield every segment that a snapshot with this boundary contains (snapshot-format.md, section 6).

        An invisible segment is left out while one that it was compacted from is there: its rows are in that
        one too, and a restore would show them twice. CatalogCorrupt or UnsupportedFormat names the record.
        """
        segments = self._segments()
        lineage = Lineage((each.ID, each.compactionFrom) for each in segments.values())
        chosen = {each.ID for each in segments.values() if boundary.encloses(each)}
        for partition, group in groupby(
            sorted(chosen, key=lambda each: (segments[each].partitionID, each)),
            key=lambda each: segments[each].partitionID,
        ):
            side = self._side(partition)
            for number in group:
                segment = segments[number]
                if segment.is_invisible and not chosen.isdisjoint(lineage.ancestors(number)):
                    continue
                records = self._records(segment, side)
                if _has_data(records):
                    yield self._with_later_deltas(records, lineage, segments)

    def _segments(self) -> dict[int, SegmentInfo]:
        found: dict[int, SegmentInfo] = {}
        for record in self._store.scan(self._keys.segments(self._id)):
            if is_live(record.value):
                segment = decode(SegmentInfo, record.value, record.key)
                require_owner(segment, record.key)
                found[segment.ID] = segment
        return found

    def _side(self, partition: int, *segment: int) -> _SideRecords:
        ids = (self._id, partition, *segment)
        return _SideRecords(
            binlogs=self._grouped(self._keys.binlogs(*ids), FieldBinlog),
            statslogs=self._grouped(self._keys.statslogs(*ids), FieldBinlog),
            deltalogs=self._grouped(self._keys.deltalogs(*ids), FieldBinlog),
            bm25logs=self._grouped(self._keys.bm25logs(*ids), FieldBinlog),
            indexes=self._grouped(self._keys.segment_indexes(*ids), SegmentIndex),
        )

    def _grouped(self, prefix: str, kind: type[M]) -> dict[int, tuple[M, ...]]:
        """Records by segment, which is the last but one component of a key."""
        found: dict[int, list[M]] = defaultdict(list)
        for record in self._store.scan(prefix):
            if is_live(record.value):
                segment = int(record.key.split("/")[-2])
                found[segment].append(decode(kind, record.value, record.key))
        return {segment: tuple(records) for segment, records in found.items()}

    def _records(self, segment: SegmentInfo, side: _SideRecords) -> SegmentRecords:
        number = segment.ID
        return SegmentRecords(
            segment=segment,
            binlogs=side.binlogs.get(number, ()),
            statslogs=side.statslogs.get(number, ()),
            deltalogs=side.deltalogs.get(number, ()),
            bm25logs=side.bm25logs.get(number, ()),
            indexes=self._indexes(segment, side.indexes.get(number, ())),
        )

    def _indexes(self, segment: SegmentInfo, builds: tuple[SegmentIndex, ...]) -> tuple[IndexFiles, ...]:
        folders = folders_of(segment, self._root)
        finished = (each for each in builds if each.state == Finished and not each.deleted)
        return tuple(
            index_files(each, self._definitions[each.indexID], folders)
            for each in sorted(finished, key=lambda each: each.buildID)
            if each.indexID in self._definitions
        )

    def _with_later_deltas(
        self, records: SegmentRecords, lineage: Lineage, segments: Mapping[int, SegmentInfo]
    ) -> SegmentRecords:
        later = [
            logs
            for number in lineage.descendants(records.segment.ID)
            for logs in self._deltas_of(segments[number])
        ]
        return replace(records, later_deltas=tuple(later)) if later else records

    def _deltas_of(self, segment: SegmentInfo) -> tuple[DescribedLogs, ...]:
        side = self._side(segment.partitionID, segment.ID)
        return delta_logs(self._records(segment, side), self._root)


def _has_data(records: SegmentRecords) -> bool:
    """True when something of the segment was committed: logs, or a StorageV3 manifest.

    Of a StorageV3 segment without a committed manifest nothing is taken but deletes, whose logs stand alone.
    """
    whole = records.whole()
    if committed_pointer(whole) is not None:
        return True
    deletes_only = whole.level == L0
    if whole.storage_version == _V3 and not deletes_only:
        return False
    return has_logs(whole.binlogs) or has_logs(whole.deltalogs)
