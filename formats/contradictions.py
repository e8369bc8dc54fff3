"""What one segment's manifest must not say against itself (snapshot-format.md, sections 2.3 and 2.4)."""

from collections.abc import Iterable, Iterator, Sequence

from formats.errors import RestoreError, SnapshotCorrupt, UnsupportedFormat
from formats.segment import Binlog, FieldBinlog, IndexFiles, SegmentManifest

_LOGS = ("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files")
_NOT_OF_DELETES = ("binlog_files", "statslog_files", "bm25_statslog_files")
_PER_FIELD = ("text_index_files", "json_key_index_files")
_INT32 = ("current_index_version", "current_scalar_index_version", "index_store_path_version")
_STORE_PATH_VERSIONS = (0, 1)
_L0 = 1


def require_consistent(manifest: SegmentManifest, key: str) -> None:
    """Return when the segment does not contradict itself.

    Raises SnapshotCorrupt naming key, field, expected and found: for negative sizes and counts, ids that
    differ from the segment's or the path's, paths, fields and builds named twice, a segment of deletes with
    other logs, and rows that the insert logs do not add up to; UnsupportedFormat for an unknown index path
    version.
    """
    for problem in _problems(manifest):
        raise type(problem)(f"{key}: {problem}")


def _problems(manifest: SegmentManifest) -> Iterator[RestoreError]:
    yield from _negative("num_of_rows", manifest.num_of_rows)
    yield from _level_problems(manifest)
    for name in _LOGS:
        for field in getattr(manifest, name):
            for log in field.binlogs:
                yield from _log_problems(f"{name} of field {field.field_id}", log, manifest.storage_version)
    for index in manifest.index_files:
        yield from _index_problems(index, manifest.segment_id)
    yield from _stats_problems(manifest)
    yield from _repeated("build_id of index_files", [index.build_id for index in manifest.index_files])
    yield from _repeated("path of two kinds", list(_paths(manifest)))
    if manifest.storage_version == 0:
        yield from _row_problems(manifest)


def _level_problems(manifest: SegmentManifest) -> Iterator[RestoreError]:
    """Milvus refuses to load a segment of deletes that has other logs too (segment-restore.md, 3.1)."""
    for name in _NOT_OF_DELETES if manifest.segment_level == _L0 else ():
        if any(field.binlogs for field in getattr(manifest, name)):
            yield SnapshotCorrupt(f"segment_level is {_L0} (deletes only), but {name} names logs")


def _log_problems(where: str, log: Binlog, storage_version: int) -> Iterator[RestoreError]:
    for name in ("entries_num", "log_size", "memory_size"):
        yield from _negative(f"{where}: {name} of {log.log_path!r}", getattr(log, name))
    if not log.log_path:
        return
    last = log.log_path.rpartition("/")[2]
    if last.isascii() and last.isdigit() and int(last) != log.log_id:
        yield SnapshotCorrupt(
            f"{where}: log_id: expected {last} as in path {log.log_path!r}, found {log.log_id}"
        )
    elif log.log_id == 0 and storage_version != 3:
        # StorageV3 files go by name; before, a log without an id cannot be registered.
        yield SnapshotCorrupt(f"{where}: log_id of {log.log_path!r}: expected an id, found 0")


def _index_problems(index: IndexFiles, segment_id: int) -> Iterator[RestoreError]:
    where = f"index_files of build {index.build_id}"
    if index.segment_id != segment_id:
        yield SnapshotCorrupt(f"{where}: segment_id: expected {segment_id}, found {index.segment_id}")
    yield from _negative(f"{where}: num_rows", index.num_rows)
    for name in _INT32:
        value = getattr(index, name)
        if not -(2**31) <= value < 2**31:
            yield SnapshotCorrupt(f"{where}: {name}: expected a 32-bit number, found {value}")
    if index.index_store_path_version not in _STORE_PATH_VERSIONS:
        yield UnsupportedFormat(
            f"{where}: index_store_path_version: expected 0 or 1, found {index.index_store_path_version}"
        )


def _stats_problems(manifest: SegmentManifest) -> Iterator[RestoreError]:
    for name in _PER_FIELD:
        entries = getattr(manifest, name)
        yield from _repeated(f"field_id of {name}", [stats.field_id for stats in entries])
        for stats in entries:
            for size in ("log_size", "memory_size"):
                yield from _negative(f"{name} of field {stats.field_id}: {size}", getattr(stats, size))


def _row_problems(manifest: SegmentManifest) -> Iterator[RestoreError]:
    """A column added later has fewer rows than the segment, but some column has all of them."""
    rows = {field.field_id: count for field in manifest.binlog_files if (count := _rows(field)) is not None}
    if rows and len(rows) == len(manifest.binlog_files) and max(rows.values()) != manifest.num_of_rows:
        longest = max(rows, key=lambda field: rows[field])
        yield SnapshotCorrupt(
            f"num_of_rows is {manifest.num_of_rows}, but the insert logs of field {longest} "
            f"hold {rows[longest]} rows"
        )


def _rows(field: FieldBinlog) -> int | None:
    """Rows of a field's logs, each counted once, or None where one of them does not tell."""
    logs = {log.log_path or log.log_id: log for log in field.binlogs}.values()
    if not logs or any(log.entries_num <= 0 for log in logs):
        return None
    return sum(log.entries_num for log in logs)


def _paths(manifest: SegmentManifest) -> Iterator[str]:
    """Yield every path once per kind.

    A kind may name an object again (a segment's delta logs are joined by those
    of its compacted successors), and repeats collapse; two kinds cannot share one.
    """
    for name in _LOGS:
        logs = (log for field in getattr(manifest, name) for log in field.binlogs)
        yield from dict.fromkeys(log.log_path for log in logs if log.log_path)
    yield from dict.fromkeys(path for index in manifest.index_files for path in index.index_file_paths)
    yield from dict.fromkeys(path for text in manifest.text_index_files for path in text.files)
    yield from dict.fromkeys(path for json in manifest.json_key_index_files for path in json.files)


def _negative(field: str, value: int) -> Iterator[RestoreError]:
    if value < 0:
        yield SnapshotCorrupt(f"{field}: expected 0 or more, found {value}")


def _repeated(what: str, values: Sequence[int] | Sequence[str]) -> Iterable[RestoreError]:
    if len(set(values)) == len(values):
        return
    seen: set[int | str] = set()
    for value in values:
        if value in seen:
            yield SnapshotCorrupt(f"{what}: {value} occurs twice")
        seen.add(value)
