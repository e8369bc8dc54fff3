"""What a restore leaves in etcd: each segment's records, and no more."""

from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.message import DecodeError, Message

from formats.proto.data_pb2 import (
    SegmentInfo,
)
from formats.proto.index_pb2 import SegmentIndex
from formats.segment import SegmentManifest
from samples.finding import Finding, absent, faultless
from samples.message_diff import differences
from samples.records import Placement, index_records, log_records, segment_record
from samples.world import World

SECONDS = range(1_500_000_000, 5_000_000_000)
"""Plausible Unix seconds; milliseconds, nanoseconds and hybrid timestamps are far above."""

Placed = Sequence[tuple[SegmentManifest, Placement]]


def expected_records(placed: Placed) -> dict[str, dict[str, Message]]:
    """Every record of every segment by key, by the kind that a proof shows on one line."""
    segments: dict[str, Message] = {}
    logs: dict[str, Message] = {}
    indexes: dict[str, Message] = {}
    for manifest, at in placed:
        segments[f"{at.meta}/datacoord-meta/s/{at.owner}"] = segment_record(manifest, at)
        logs |= log_records(manifest, at)
        indexes |= index_records(manifest, at)
    return {"segment records": segments, "log records": logs, "index records": indexes}


def records_right(what: str, expected: Mapping[str, Message], world: World) -> Finding:
    """That each record is there with every field as it must be; wrong fields are named."""
    found = 0
    faults: list[str] = []
    for key, message in expected.items():
        wrong = _faults(message, world.records.get(key))
        found += not wrong
        faults += [f"{key}: {fault}" for fault in wrong]
    return Finding(what, len(expected), found, tuple(faults))


def records_unchanged(before: World, after: World) -> Finding:
    """That every record from before the restore, source's and target's, is as it was."""
    faults = [
        f"record {key} {'was changed' if key in after.records else 'is gone'}"
        for key, value in sorted(before.records.items())
        if after.records.get(key) != value
    ]
    return faultless("earlier records unchanged", len(before.records), faults)


def records_beyond(expected: Iterable[str], before: World, after: World) -> Finding:
    """That the restore wrote no other record under the meta folder."""
    strangers = sorted(after.records.keys() - before.records.keys() - set(expected))
    return absent("records beyond", (f"record {key} is not of this restore" for key in strangers))


def _faults(expected: Message, value: bytes | None) -> list[str]:
    if value is None:
        return ["is missing"]
    return differences(_with_open_values(expected, value), value)


def _with_open_values(expected: Message, value: bytes) -> Message:
    """The expected record with the found one's choice wherever the specification leaves one."""
    chosen = type(expected)()
    chosen.CopyFrom(expected)
    try:
        found = type(expected).FromString(value)
    except DecodeError:
        return chosen
    if isinstance(chosen, SegmentIndex) and isinstance(found, SegmentIndex):
        _choose_index_values(chosen, found)
    if isinstance(chosen, SegmentInfo) and isinstance(found, SegmentInfo):
        _choose_positions(chosen, found)
    return chosen


def _choose_index_values(chosen: SegmentIndex, found: SegmentIndex) -> None:
    """Any Unix second is a time of the restore; Milvus's own restore loses mem_size (section 3.3)."""
    for name in ("create_time", "finished_time"):
        if getattr(found, name) in SECONDS:
            setattr(chosen, name, getattr(found, name))
    if found.mem_size == chosen.serialize_size:
        chosen.mem_size = found.mem_size


def _choose_positions(chosen: SegmentInfo, found: SegmentInfo) -> None:
    """A position may leave out which kind of log its message id is of, as Milvus's own restore does."""
    for name in ("start_position", "dml_position"):
        if not getattr(found, name).WAL_name:
            getattr(chosen, name).ClearField("WAL_name")
