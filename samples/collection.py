"""A collection as its segments: what each one's manifest says, and every object that it names."""

from collections.abc import Iterator
from dataclasses import dataclass

from formats.proto.data_pb2 import SegmentLevel
from formats.segment import Position, SegmentManifest
from samples.columns import write_time
from samples.draft import Draft
from samples.indexes import index_builds
from samples.logs import deleted_keys, delta_logs, flushes, foreign_keys, insert_logs, stats_logs
from samples.match_indexes import json_indexes, text_indexes
from samples.shape import SampleShape

__all__ = ["SampleSegment", "SampleShape", "sample_segment", "sample_segments"]

LOADER = "by-dev-dataNode-1"
"""The consumer of the write-ahead log that every position names."""


@dataclass(frozen=True, slots=True)
class SampleSegment:
    """One segment; `objects` holds exactly the bytes of every key that the manifest names."""

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
    return SegmentManifest(
        segment_id=draft.segment,
        partition_id=draft.partition,
        segment_level=SegmentLevel.L1,
        channel_name=draft.channel,
        num_of_rows=rows.count,
        start_position=_position(draft, rows.span.first),
        dml_position=_position(draft, rows.span.last),
        storage_version=draft.shape.storage_version,
        is_sorted=draft.number % 2 == 0,
        # An imported segment's rows count as inserted when the import was committed.
        commit_timestamp=rows.span.last + 1 if draft.number % 5 == 1 else 0,
        binlog_files=insert_logs(draft, parts),
        deltalog_files=delta_logs(draft, deleted_keys(draft, rows)),
        statslog_files=stats_logs(draft, parts),
        index_files=index_builds(draft, rows),
        text_index_files=text_indexes(draft, rows),
        json_key_index_files=json_indexes(draft, rows),
    )


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
        storage_version=draft.shape.storage_version,
        is_sorted=False,
        deltalog_files=deltas,
    )


def _position(draft: Draft, timestamp: int) -> Position:
    # A message id is opaque; RocksMQ's are eight bytes, ascending.
    message = (timestamp - write_time(0) + draft.shape.seed).to_bytes(8, "little")
    return Position(
        channel_name=draft.channel,
        msg_id=message,
        msg_group=f"{LOADER}-{draft.channel}",
        timestamp=timestamp,
    )
