"""From a segment's records in etcd to its manifest in a snapshot (segment-restore.md, 3.2 to 3.5).

etcd keeps ids where a manifest has full keys. Which layout a record has is decided by what is in it: logs
within the segment's own record win over those in keys of their own, and a path that is there is kept.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

from formats.errors import CatalogCorrupt, UnsupportedFormat
from formats.paths import base_name
from formats.pointer import ManifestPointer, read_pointer
from formats.proto.data_pb2 import Binlog as LogRecord
from formats.proto.data_pb2 import FieldBinlog as FieldRecord
from formats.proto.data_pb2 import SegmentInfo
from formats.proto.msg_pb2 import MsgPosition
from formats.recorded_indexes import json_index, text_index
from formats.segment import Binlog, FieldBinlog, IndexFiles, Position, SegmentManifest
from formats.segment_folders import SegmentFolders

_STORAGE_VERSIONS = (0, 2, 3)
_V2, _V3 = 2, 3

PathOf = Callable[[int, int], str]
"""The key of a log by field and log id."""


@dataclass(frozen=True, slots=True)
class SegmentRecords:
    """What etcd holds of one segment; `later_deltas` are delta logs of what it was compacted to.

    `indexes` are its finished builds, described already.
    """

    segment: SegmentInfo
    binlogs: tuple[FieldRecord, ...] = ()
    statslogs: tuple[FieldRecord, ...] = ()
    deltalogs: tuple[FieldRecord, ...] = ()
    bm25logs: tuple[FieldRecord, ...] = ()
    indexes: tuple[IndexFiles, ...] = ()
    later_deltas: tuple[FieldBinlog, ...] = ()

    def whole(self) -> SegmentInfo:
        """The segment's record with its logs in it, as Milvus has it in memory."""
        whole = SegmentInfo()
        whole.CopyFrom(self.segment)
        for name, beside in (
            ("binlogs", self.binlogs),
            ("statslogs", self.statslogs),
            ("deltalogs", self.deltalogs),
            ("bm25statslogs", self.bm25logs),
        ):
            within = getattr(whole, name)
            if not within:
                within.extend(sorted(beside, key=lambda each: each.fieldID))
        return whole


def has_logs(fields: Iterable[FieldRecord]) -> bool:
    """True when at least one log is in the list: a field may be listed without any."""
    return any(each.binlogs for each in fields)


def committed_pointer(segment: SegmentInfo) -> ManifestPointer | None:
    """The pointer of a StorageV3 segment that has committed something, else None (snapshot-format.md, 1.5).

    SnapshotCorrupt when it is no pointer.
    """
    if segment.storage_version != _V3 or not segment.manifest_path:
        return None
    try:
        return read_pointer(segment.manifest_path, segment.ID)
    except UnsupportedFormat:  # version 0: it holds a place, and nothing was committed yet
        return None


def folders_of(segment: SegmentInfo, root: str) -> SegmentFolders:
    """Where the segment's objects lie."""
    pointer = committed_pointer(segment)
    return SegmentFolders(
        root=root,
        collection=segment.collectionID,
        partition=segment.partitionID,
        segment=segment.ID,
        base=pointer.base_path if pointer else "",
    )


def describe_segment(
    records: SegmentRecords, root: str, there: Collection[str] | None = None
) -> SegmentManifest:
    """Returns the segment as a snapshot's manifest describes it, with full keys.

    `there` are the keys found below a StorageV3 segment's folder: logs and text indexes among them are
    named there, all others where older storage keeps them; None when nobody has looked.
    UnsupportedFormat for a storage version or path layout that is not known.
    """
    whole = records.whole()
    _require_known_storage(whole)
    folders, pointer = folders_of(whole, root), committed_pointer(whole)
    logs = _fields(whole.binlogs, folders.insert_log)
    described = SegmentManifest(
        segment_id=whole.ID,
        partition_id=whole.partitionID,
        segment_level=whole.level,
        channel_name=whole.insert_channel,
        num_of_rows=_rows(whole, logs),
        start_position=_position(whole.start_position),
        dml_position=_position(whole.dml_position),
        storage_version=whole.storage_version,
        is_sorted=whole.is_sorted,
        commit_timestamp=whole.commit_timestamp,
        binlog_files=logs,
        index_files=records.indexes,
        manifest_path=pointer.text() if pointer else _plain_pointer(whole),
    )
    return described.model_copy(update=_found(records, whole, _Places(folders, there)))


def delta_logs(records: SegmentRecords, root: str) -> tuple[FieldBinlog, ...]:
    """Returns the segment's own delta logs with full keys."""
    whole = records.whole()
    return _fields(whole.deltalogs, _Places(folders_of(whole, root), None).delta)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where logs lie: in a StorageV3 segment's folder if they are found there; deletes also unseen."""

    folders: SegmentFolders
    there: Collection[str] | None

    def stats(self, number: int, log: int) -> str:
        own = self.folders.own_stats("bloom_filter", number, log)
        return own if own in (self.there or ()) else self.folders.stats_log(number, log)

    def bm25(self, number: int, log: int) -> str:
        own = self.folders.own_stats("bm25", number, log)
        return own if own in (self.there or ()) else self.folders.bm25_log(number, log)

    def delta(self, number: int, log: int) -> str:
        own = self.folders.own_delta(log)
        in_folder = self.there is None or own in self.there
        return own if self.folders.base and in_folder else self.folders.delta_log(number, log)


def _require_known_storage(whole: SegmentInfo) -> None:
    if whole.storage_version not in _STORAGE_VERSIONS:
        raise UnsupportedFormat(
            f"segment {whole.ID}: storage_version: expected one of 0, 2 and 3, found "
            f"{whole.storage_version}; a newer milvus-restore may know it"
        )


def _plain_pointer(whole: SegmentInfo) -> str:
    """The key of a StorageV2 segment's manifest; a StorageV3 one that committed nothing points nowhere."""
    return whole.manifest_path if whole.storage_version == _V2 else ""


def _found(records: SegmentRecords, whole: SegmentInfo, places: _Places) -> dict[str, object]:
    """What may lie in a StorageV3 segment's own folder."""
    texts, jsons = whole.textStatsLogs, whole.jsonKeyStats
    there = places.there or ()
    return {
        "deltalog_files": (*_fields(whole.deltalogs, places.delta), *records.later_deltas),
        "statslog_files": _fields(whole.statslogs, places.stats),
        "bm25_statslog_files": _fields(whole.bm25statslogs, places.bm25),
        "text_index_files": tuple(text_index(texts[each], places.folders, there) for each in sorted(texts)),
        "json_key_index_files": tuple(json_index(jsons[each], places.folders) for each in sorted(jsons)),
    }


def _fields(records: Iterable[FieldRecord], path_of: PathOf) -> tuple[FieldBinlog, ...]:
    return tuple(
        FieldBinlog(
            field_id=each.fieldID,
            child_fields=tuple(each.child_fields),
            format=each.format,
            binlogs=tuple(_log(log, each.fieldID, path_of) for log in each.binlogs),
        )
        for each in records
        if each.binlogs
    )


def _log(record: LogRecord, number: int, path_of: PathOf) -> Binlog:
    return Binlog(
        entries_num=record.entries_num,
        timestamp_from=record.timestamp_from,
        timestamp_to=record.timestamp_to,
        log_path=record.log_path or (path_of(number, record.logID) if record.logID else ""),
        log_size=record.log_size,
        log_id=record.logID or _number(base_name(record.log_path)),
        memory_size=record.memory_size or record.log_size,
    )


def _number(name: str) -> int:
    return int(name) if name.isascii() and name.isdecimal() and len(name) < 20 else 0


def _rows(whole: SegmentInfo, logs: tuple[FieldBinlog, ...]) -> int:
    """As Milvus counts when it saves a segment: by its logs where they tell, else as recorded (3.1)."""
    if whole.storage_version == _V3:
        return whole.num_of_rows
    counts = list(_entries(logs))
    return max(counts) if counts and all(count > 0 for count in counts) else whole.num_of_rows


def _entries(logs: tuple[FieldBinlog, ...]) -> Iterator[int]:
    for each in logs:
        known = all(log.entries_num > 0 for log in each.binlogs)
        yield sum(log.entries_num for log in each.binlogs) if known else 0


def _position(record: MsgPosition) -> Position:
    return Position(
        channel_name=record.channel_name,
        msg_id=record.msgID,
        msg_group=record.msgGroup,
        timestamp=record.timestamp,
    )


def require_owner(segment: SegmentInfo, key: str) -> None:
    """Return when the record is of the ids in its key; else CatalogCorrupt."""
    ids = f"{segment.collectionID}/{segment.partitionID}/{segment.ID}"
    if not key.endswith(f"/{ids}"):
        raise CatalogCorrupt(
            f"{key} holds the record of segment {ids}, expected the one that its key names; check the etcd "
            "root path, or restore this record"
        )
