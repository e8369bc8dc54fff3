"""A collection as its segments: what each one's manifest says, and every object that it names."""

from collections.abc import Iterator
from dataclasses import dataclass

from formats.proto.data_pb2 import SegmentLevel
from formats.segment import FieldBinlog, Position, SegmentManifest
from samples.draft import Draft
from samples.indexes import index_builds
from samples.logs import (
    bm25_logs,
    deleted_keys,
    delta_logs,
    field_logs,
    flushes,
    foreign_keys,
    packed_logs,
    stats_logs,
)
from samples.match_indexes import json_indexes, text_indexes
from samples.segment_folder import folder_logs, packed_pointer, segment_pointer
from samples.shape import SampleShape

__all__ = ["SampleSegment", "SampleShape", "sample_segment", "sample_segments"]

LOADER = "by-dev-dataNode-1"
"""The consumer of the write-ahead log that every position names."""


@dataclass(frozen=True, slots=True)
class SampleSegment:
    """One segment; `objects` holds the bytes of every key that it owns.

    Those are the keys that the manifest names, and all below a StorageV3 segment's folder.
    """

    manifest: SegmentManifest
    objects: dict[str, bytes]


def sample_segments(shape: SampleShape) -> Iterator[SampleSegment]:
    """Every segment of the sample in order, made one at a time."""
    return (sample_segment(shape, number) for number in range(shape.all_segments))


def sample_segment(shape: SampleShape, number: int) -> SampleSegment:
    """The segment of this number, the same at every call."""
    draft = Draft(shape, number)
    manifest = _deletes_only(draft) if draft.level_zero else _with_rows(draft)
    return SampleSegment(manifest, draft.objects)


def _with_rows(draft: Draft) -> SegmentManifest:
    rows = draft.rows()
    parts = flushes(draft, rows)
    writers = {0: field_logs, 2: packed_logs, 3: folder_logs}
    insert = writers[draft.storage](draft, parts)
    delta, stats = delta_logs(draft, deleted_keys(draft, rows)), stats_logs(draft, parts)
    described = SegmentManifest(
        segment_id=draft.segment,
        partition_id=draft.partition,
        segment_level=SegmentLevel.L1,
        channel_name=draft.channel,
        num_of_rows=rows.count,
        start_position=_position(draft, rows.span.first),
        dml_position=_position(draft, rows.span.last),
        storage_version=draft.storage,
        is_sorted=draft.number % 2 == 0,
        commit_timestamp=rows.span.last + 1 if draft.imported else 0,
        index_files=index_builds(draft, rows),
        text_index_files=text_indexes(draft, rows),
        json_key_index_files=json_indexes(draft, rows),
    )
    logs = _logs(draft, insert, delta, stats, bm25_logs(draft, parts))
    return described.model_copy(update={**logs, "manifest_path": _pointer(draft)})


def _logs(draft: Draft, *kinds: tuple[FieldBinlog, ...]) -> dict[str, tuple[FieldBinlog, ...]]:
    names = ("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files")
    return dict(zip(names, kinds, strict=True)) if draft.recorded else {}


def _pointer(draft: Draft) -> str:
    if draft.storage == 2:
        return packed_pointer(draft)
    return segment_pointer(draft) if draft.foldered else ""


def _deletes_only(draft: Draft) -> SegmentManifest:
    deltas = delta_logs(draft, foreign_keys(draft))
    log = deltas[0].binlogs[0]
    return SegmentManifest(
        segment_id=draft.segment,
        partition_id=draft.partition,
        segment_level=SegmentLevel.L0,
        channel_name=draft.channel,
        num_of_rows=0,
        start_position=_position(draft, log.timestamp_from),
        dml_position=_position(draft, log.timestamp_to),
        storage_version=draft.storage,
        is_sorted=False,
        deltalog_files=deltas,
        manifest_path=segment_pointer(draft) if draft.foldered else "",
    )


def _position(draft: Draft, timestamp: int) -> Position:
    # A message id is opaque; RocksMQ's are eight bytes, ascending.
    message = (timestamp - draft.shape.write_time(0) + draft.shape.seed).to_bytes(8, "little")
    return Position(
        channel_name=draft.channel,
        msg_id=message,
        msg_group=f"{LOADER}-{draft.channel}",
        timestamp=timestamp,
    )
