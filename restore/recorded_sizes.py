"""What a segment's manifest records of bytes beside the sizes of single objects. Sizes in bytes."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from formats.segment import SegmentManifest

_V3 = 3
_TELLING = ("", "parquet")
"""Formats of logs whose files say where they end."""


class DoubtfulLog(NamedTuple):
    """A log whose recorded size may be what its rows need in memory; `telling` when its file knows better."""

    kind: Literal["insert", "delta"]
    key: str
    recorded: int
    telling: bool


def doubtful_logs(manifest: SegmentManifest) -> Iterator[DoubtfulLog]:
    """Yield the logs of which Binlog.sized_in_memory holds.

    Insert logs of StorageV3 name no objects, so they are not among them.
    """
    if manifest.storage_version != _V3:
        for field in manifest.binlog_files:
            for log in (log for log in field.binlogs if log.sized_in_memory):
                yield DoubtfulLog("insert", log.log_path, log.log_size, field.format in _TELLING)
    for field in manifest.deltalog_files:
        for log in (log for log in field.binlogs if log.sized_in_memory):
            yield DoubtfulLog("delta", log.log_path, log.log_size, telling=True)


def built_bytes(manifest: SegmentManifest) -> int:
    """Bytes of what is named without an object's size: builds of indexes, and doubtful logs."""
    indexes = sum(index.serialized_size for index in manifest.index_files if index.index_file_paths)
    logs = sum({log.key: log.recorded for log in doubtful_logs(manifest)}.values())
    if manifest.storage_version == _V3:
        return indexes + logs
    texts = (*manifest.text_index_files, *manifest.json_key_index_files)
    return indexes + logs + sum(text.log_size for text in texts)
