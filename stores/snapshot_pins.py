"""Pins in the records of one cluster: put, renewed, taken back; and the way to DELETING that they bar."""

from datetime import UTC, datetime
from functools import partial

from formats.pins import ends_at, live_pins, pinned, unpinned
from formats.proto.data_pb2 import (
    SnapshotInfo,
    SnapshotState,
    SnapshotStateCommitted,
    SnapshotStateDeleting,
    SnapshotStatePending,
)
from restore.errors import InvalidRequest, SnapshotNotFound, SnapshotPinned
from stores.snapshot_records import SnapshotRecords

_SHOWN = 5


class SnapshotPins:
    """Every change is guarded by the record's revision, so that a drop and a pin cannot both succeed."""

    def __init__(self, records: SnapshotRecords) -> None:
        self._records = records

    def hold(self, key: str, pin: int, end: int) -> SnapshotInfo:
        """Have the pin until `end` (Unix ms, 0 for ever), put now or renewed, and return the record.

        SnapshotNotFound when the record is gone or not committed.
        """
        info = self._records.change(key, lambda info: pinned(_committed(info), pin, end))
        if info is None:
            raise SnapshotNotFound(f"there is no snapshot at {key} any more, so it cannot be pinned")
        return info

    def release(self, key: str, pin: int) -> bool:
        """Have no such pin; return whether there was one."""
        record = self._records.get(key)
        if record is None or pin not in record.info.pin_ids:
            return False
        self._records.change(key, lambda info: unpinned(info, {pin}))
        return True

    def begin_drop(self, key: str) -> SnapshotInfo | None:
        """Have the record DELETING and without pins, and return it; None when it is gone.

        SnapshotPinned while somebody holds the snapshot, InvalidRequest while it is being made.
        """
        return self._records.change(key, partial(_deleting, now=now_ms()))


def now_ms() -> int:
    """The worker's clock, Unix milliseconds."""
    return int(datetime.now(UTC).timestamp() * 1000)


def require_droppable(info: SnapshotInfo, now: int) -> None:
    """Return when a snapshot may be dropped; else SnapshotPinned, InvalidRequest while it is being made."""
    if info.state == SnapshotStatePending:
        raise InvalidRequest(
            f"snapshot {info.name!r}, id {info.id}, is being made, so it cannot be dropped; cancel its "
            "workflow, or let `milvus-restore gc` remove it when nobody makes it any more"
        )
    if info.state not in (SnapshotStateCommitted, SnapshotStateDeleting):
        raise InvalidRequest(
            f"snapshot {info.name!r}, id {info.id}, is in state {info.state}, which is not known here; "
            "expected COMMITTED or DELETING"
        )
    pins = live_pins(info, now) if info.state == SnapshotStateCommitted else []
    if pins:
        shown = ", ".join(f"{pin} ({_until(info, pin)})" for pin in pins[:_SHOWN])
        more = f" and {len(pins) - _SHOWN} more" if len(pins) > _SHOWN else ""
        raise SnapshotPinned(
            f"snapshot {info.name!r}, id {info.id}, is held by {len(pins)} active pins: {shown}{more}; wait "
            "for the restores that hold it, or `milvus-restore snapshot unpin` before dropping"
        )


def _deleting(info: SnapshotInfo, now: int) -> SnapshotInfo:
    require_droppable(info, now)
    changed = unpinned(info, set(info.pin_ids))
    changed.state = SnapshotStateDeleting
    return changed


def _committed(info: SnapshotInfo) -> SnapshotInfo:
    if info.state != SnapshotStateCommitted:
        known = info.state in SnapshotState.values()
        name = SnapshotState.Name(info.state).removeprefix("SnapshotState") if known else str(info.state)
        raise SnapshotNotFound(
            f"snapshot {info.name!r}, id {info.id}, is {name.upper()}, not COMMITTED: it cannot be pinned"
        )
    return info


def _until(info: SnapshotInfo, pin: int) -> str:
    if not (end := ends_at(info, pin)):
        return "without an end"
    return f"until {datetime.fromtimestamp(end / 1000, UTC).isoformat(timespec='seconds')}"
