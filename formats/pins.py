"""The pins of a snapshot's record: who keeps it from being dropped, and until when (snapshot-format.md, 4.6).

Times are Unix milliseconds; an end of 0 means that the pin never expires.
"""

from collections.abc import Container

from formats.proto.data_pb2 import SnapshotInfo

LONGEST_SECONDS = 2_592_000
"""30 days, the longest time to live that Milvus takes (section 5.3)."""


def ends_at(info: SnapshotInfo, pin: int) -> int:
    """Return when a pin expires."""
    return int(info.pin_expire_at_ms.get(pin, 0))


def has_expired(info: SnapshotInfo, pin: int, now: int) -> bool:
    """Return True for a pin whose time is over."""
    return 0 < ends_at(info, pin) <= now


def live_pins(info: SnapshotInfo, now: int) -> list[int]:
    """Return the pins that hold the snapshot now, in the record's order."""
    return [pin for pin in info.pin_ids if not has_expired(info, pin, now)]


def expired_pins(info: SnapshotInfo, now: int) -> list[int]:
    """Return the pins whose time is over, in the record's order."""
    return [pin for pin in info.pin_ids if has_expired(info, pin, now)]


def pinned(info: SnapshotInfo, pin: int, end: int) -> SnapshotInfo:
    """Return the record with this pin, ending then, whether it was there before or not."""
    changed = _copy(info)
    if pin not in changed.pin_ids:
        changed.pin_ids.append(pin)
    changed.pin_expire_at_ms[pin] = end
    return changed


def unpinned(info: SnapshotInfo, pins: Container[int]) -> SnapshotInfo:
    """Return the record without these pins; those that are not there are no error."""
    changed = _copy(info)
    changed.pin_ids[:] = [pin for pin in info.pin_ids if pin not in pins]
    for pin in [pin for pin in info.pin_expire_at_ms if pin in pins]:
        del changed.pin_expire_at_ms[pin]
    return changed


def _copy(info: SnapshotInfo) -> SnapshotInfo:
    changed = SnapshotInfo()
    changed.CopyFrom(info)
    return changed
