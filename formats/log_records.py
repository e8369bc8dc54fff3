"""A segment's logs as etcd keeps them: one record per kind and field (segment-restore.md, 2.4 and 3.2)."""

from collections.abc import Iterable, Iterator, Sequence

from formats.errors import SnapshotCorrupt
from formats.keys import MetaKeys
from formats.paths import base_name
from formats.proto import data_pb2
from formats.segment import Binlog, FieldBinlog, SegmentManifest
from formats.target import SegmentTarget
from formats.wire import encode

_V3 = 3


def binlog_records(manifest: SegmentManifest, target: SegmentTarget, keys: MetaKeys) -> dict[str, bytes]:
    """Returns the binlog, statslog, deltalog and bm25log records by key (segment-restore.md, 3.2).

    Paths are left out, since Milvus rebuilds them from ids. SnapshotCorrupt when a log has no id, or two
    logs of a field share one.
    """
    kinds = (
        (keys.binlog, manifest.binlog_files),
        (keys.statslog, manifest.statslog_files),
        (keys.deltalog, manifest.deltalog_files),
        (keys.bm25log, manifest.bm25_statslog_files),
    )
    return {
        key(*target.ids, record.fieldID): encode(record)
        for key, fields in kinds
        for record in _merged(fields, manifest)
    }


def _merged(fields: Iterable[FieldBinlog], manifest: SegmentManifest) -> Iterator[data_pb2.FieldBinlog]:
    """One record per field: a list may name a field twice, but etcd has one key for it."""
    groups: dict[int, list[FieldBinlog]] = {}
    for each in fields:
        groups.setdefault(each.field_id, []).append(each)
    for field, group in groups.items():
        yield data_pb2.FieldBinlog(
            fieldID=field,
            binlogs=[_record(log, number) for number, log in _numbered(group, manifest)],
            child_fields=dict.fromkeys(child for each in group for child in each.child_fields),
            format=_format(group, manifest.segment_id),
        )


def _numbered(group: Sequence[FieldBinlog], manifest: SegmentManifest) -> Iterable[tuple[int, Binlog]]:
    logs: dict[int, Binlog] = {}
    for log in (log for each in group for log in each.binlogs):
        number = _log_id(log, manifest)
        if number is None:
            continue
        known = logs.setdefault(number, log)
        if known != log:
            raise SnapshotCorrupt(
                f"segment {manifest.segment_id}, field {group[0].field_id}: {known.log_path!r} and "
                f"{log.log_path!r} are two different logs with log id {number}, and one would be lost; "
                "take the snapshot again"
            )
    return logs.items()


def _record(log: Binlog, number: int) -> data_pb2.Binlog:
    return data_pb2.Binlog(
        entries_num=log.entries_num,
        timestamp_from=log.timestamp_from,
        timestamp_to=log.timestamp_to,
        log_size=log.log_size,
        logID=number,
        memory_size=log.memory_size,
    )


def _log_id(log: Binlog, manifest: SegmentManifest) -> int | None:
    """Return the id by which Milvus finds the log; one without a path (external tables) has only that.

    StorageV3 finds its files by name, so a log of it may have no id; Milvus rejects such a record.
    """
    name = base_name(log.log_path)
    number = int(name) if name.isascii() and name.isdecimal() and len(name) < 20 else 0
    if not log.log_path or (number == 0 and manifest.storage_version == _V3):
        number = log.log_id
    if 0 < number < 2**63:
        return number
    if manifest.storage_version == _V3:
        return None
    raise SnapshotCorrupt(
        f"segment {manifest.segment_id}: the log {log.log_path!r} has no log id: expected a path that ends "
        "in a positive number, by which Milvus finds the object; take the snapshot again"
    )


def _format(group: Sequence[FieldBinlog], segment: int) -> str:
    formats = sorted({each.format for each in group if each.format})
    if len(formats) > 1:
        raise SnapshotCorrupt(
            f"segment {segment}, field {group[0].field_id}: one column group has the formats "
            f"{' and '.join(formats)}, expected one; take the snapshot again"
        )
    return formats[0] if formats else ""
