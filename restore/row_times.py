"""When a snapshot's rows were written, and what that means in a target whose clock and lifetime differ.

Milvus shows a row, and lets a delete reach it, only once its own clock has passed the row's timestamp. So a
snapshot whose rows are far ahead of the target's clock is refused in planning, before anything is copied. A
few minutes are waited out instead: by the last step before publishing, since a cancel is still obeyed
there, and since by then copying has mostly taken longer than the wait.

Times are Unix milliseconds, row timestamps hybrid: Unix milliseconds << 18 | logical counter.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from formats.errors import InvalidRequest
from formats.model import Model
from formats.segment import FieldBinlog, SegmentManifest

LONGEST_WAIT = timedelta(minutes=5)
"""How far ahead rows may be: about what clocks of different clusters differ by."""

TTL = "collection.ttl.seconds"

_L0 = 1
_LOGICAL_BITS = 18
_MILLISECOND = timedelta(milliseconds=1)


class ClockReading(Model):
    """What the target's clock says, and where that was read."""

    milliseconds: int
    source: str


class RowTimes(Model):
    """The oldest row and the newest row or delete of some segments, hybrid; 0 while none is known."""

    oldest: int = 0
    newest: int = 0

    def plus(self, manifest: SegmentManifest) -> "RowTimes":
        """The times with one more segment."""
        oldest = (each for each in (self.oldest, _oldest(manifest)) if each)
        return RowTimes(oldest=min(oldest, default=0), newest=max(self.newest, *_written(manifest)))


def ahead(newest: int, clock: ClockReading) -> timedelta:
    """How far a hybrid timestamp is ahead of the clock; zero when it is past."""
    return max(timedelta(0), (_milliseconds(newest) - clock.milliseconds) * _MILLISECOND)


def require_reachable(times: RowTimes, clock: ClockReading) -> None:
    """Return when the clock will have passed the newest row within LONGEST_WAIT; else InvalidRequest."""
    if ahead(times.newest, clock) > LONGEST_WAIT:
        raise InvalidRequest(
            f"{_lead(times.newest, clock)}, more than the {LONGEST_WAIT.seconds // 60} min that a restore "
            "waits: until its clock gets there Milvus would neither show nor delete such rows; correct the "
            "clock of the target's coordinator, or restore after that time"
        )


def clock_warning(times: RowTimes, clock: ClockReading) -> str | None:
    """What to say when rows are ahead of the clock, so that publishing has to wait; None when none is."""
    if not ahead(times.newest, clock):
        return None
    return f"{_lead(times.newest, clock)}; nothing is published before that time"


def lifetime_warning(
    times: RowTimes, clock: ClockReading, target: Mapping[str, str], snapshot: Mapping[str, str]
) -> str | None:
    """What to say when restored rows have outlived the collection's TTL; None when none has.

    The target's property counts. Where it has none, the snapshot's is told of, since it will often be set
    later: Milvus lets rows live by the time they were first written at (snapshot-format.md, section 6).
    """
    own = TTL in target
    seconds = _lifetime((target if own else snapshot).get(TTL, ""))
    expiry = _milliseconds(times.oldest) + seconds * 1_000
    if not seconds or not times.oldest or expiry > clock.milliseconds:
        return None
    whose = "the target has" if own else "the target lacks, and the snapshot's collection has,"
    effect = "Milvus hides and removes" if own else "once it is set, Milvus will hide and remove"
    return (
        f"{whose} {TTL} {seconds}: {_which(times, seconds, clock)} of {moment(_milliseconds(times.oldest))} "
        f"expired at {moment(expiry)}, and {effect} what has expired; change the property before the "
        "collection is loaded, or lose those rows"
    )


def moment(milliseconds: int) -> str:
    """A time in ISO 8601, UTC."""
    found = datetime.fromtimestamp(0, UTC) + milliseconds * _MILLISECOND
    return found.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _which(times: RowTimes, seconds: int, clock: ClockReading) -> str:
    """All rows have expired when the newest has; which of the others have, no manifest tells."""
    if _milliseconds(times.newest) + seconds * 1_000 <= clock.milliseconds:
        return "all restored rows have expired, the oldest"
    return "the oldest restored row"


def _lead(newest: int, clock: ClockReading) -> str:
    return (
        f"the newest row or delete of the snapshot is of {moment(_milliseconds(newest))}, "
        f"{_duration(ahead(newest, clock))} ahead of the target's clock, which is at "
        f"{moment(clock.milliseconds)} by {clock.source}"
    )


def _duration(lead: timedelta) -> str:
    seconds = lead.total_seconds()
    return f"{seconds:.1f} s" if seconds < 600 else str(timedelta(seconds=round(seconds)))


def _lifetime(text: str) -> int:
    """Seconds as Milvus reads them: what is no number or not above 0 is no lifetime."""
    digits = text.strip().removeprefix("+")
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 12 else 0


def _written(manifest: SegmentManifest) -> Iterator[int]:
    """Every time up to which the segment may hold something; deletes and imports included."""
    yield manifest.commit_timestamp
    yield manifest.start_position.timestamp
    yield manifest.dml_position.timestamp
    for log in _logs((*manifest.binlog_files, *manifest.deltalog_files)):
        yield log[1]


def _oldest(manifest: SegmentManifest) -> int:
    """When the oldest row was written; rows of an import count from its commit. 0 without rows."""
    if not manifest.num_of_rows or manifest.segment_level == _L0:
        return 0
    if manifest.commit_timestamp:
        return manifest.commit_timestamp
    logged = (first for first, _ in _logs(manifest.binlog_files) if first)
    return min(logged, default=manifest.start_position.timestamp)


def _logs(fields: tuple[FieldBinlog, ...]) -> Iterator[tuple[int, int]]:
    return ((log.timestamp_from, log.timestamp_to) for field in fields for log in field.binlogs)


def _milliseconds(hybrid: int) -> int:
    return hybrid >> _LOGICAL_BITS
