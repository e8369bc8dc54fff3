"""What time it is for the target's Milvus: rows are seen from that clock, not from ours."""

from datetime import UTC, datetime, timedelta

from formats.errors import UnsupportedFormat
from formats.keys import MetaKeys
from restore.row_times import ClockReading
from stores.coordinator import running_coordinator
from stores.ports import MetadataStore

_BYTES = 8
_NANOSECONDS = 1_000_000
"""In a millisecond."""


class TargetClock:
    """The clock of one cluster.

    Its coordinator keeps in etcd how far it may have given timestamps: a mark up to 3 s ahead of its
    clock and renewed in time, below which it never starts again. While it runs the mark tells the time, even
    if the worker's clock disagrees. While it is stopped the mark stands still, and it will go on from the
    later of mark and clock: then the worker's clock stands in for that of the machine.
    """

    def __init__(self, store: MetadataStore, keys: MetaKeys) -> None:
        self._store = store
        self._keys = keys

    def read(self) -> ClockReading:
        """Return the time now; UnsupportedFormat when the mark is not 8 bytes."""
        here = ClockReading(milliseconds=_now(), source="the worker's clock")
        mark = self._mark()
        if mark is None:
            return here
        if mark.milliseconds >= here.milliseconds or running_coordinator(self._store, self._keys):
            return mark
        return here

    def _mark(self) -> ClockReading | None:
        record = self._store.get(self._keys.timestamp)
        if record is None:
            return None
        if len(record.value) != _BYTES:
            raise UnsupportedFormat(
                f"{record.key} holds {len(record.value)} bytes, expected {_BYTES}: Unix nanoseconds; check "
                "that the etcd root path is Milvus's and that its version is a known one"
            )
        nanoseconds = int.from_bytes(record.value, "big")
        return ClockReading(milliseconds=nanoseconds // _NANOSECONDS, source=record.key)


def _now() -> int:
    return (datetime.now(UTC) - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
