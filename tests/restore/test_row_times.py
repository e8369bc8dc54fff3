from datetime import timedelta
from typing import Any

import pytest

from formats.errors import InvalidRequest
from formats.segment import Binlog, FieldBinlog, Position, SegmentManifest
from restore.row_times import (
    LONGEST_WAIT,
    TTL,
    ClockReading,
    RowTimes,
    ahead,
    clock_warning,
    lifetime_warning,
    moment,
    require_reachable,
)

NEW_YEAR = 1_767_225_600_000
"""2026-01-01, as Unix milliseconds."""

DAY = 86_400_000
ROWS = RowTimes(oldest=NEW_YEAR - DAY << 18, newest=NEW_YEAR << 18 | 7)


def clock(milliseconds: int) -> ClockReading:
    return ClockReading(milliseconds=milliseconds, source="by-dev/kv/gid/timestamp")


def logs(*spans: tuple[int, int]) -> tuple[FieldBinlog, ...]:
    made = (
        Binlog(
            entries_num=1,
            timestamp_from=first,
            timestamp_to=last,
            log_path="p",
            log_size=1,
            log_id=1,
            memory_size=1,
        )
        for first, last in spans
    )
    return (FieldBinlog(field_id=1, binlogs=tuple(made)),)


def segment(rows: int = 1, level: int = 2, start: int = 0, dml: int = 0, **more: Any) -> SegmentManifest:
    return SegmentManifest(
        segment_id=1,
        partition_id=2,
        segment_level=level,
        channel_name="c",
        num_of_rows=rows,
        start_position=Position(timestamp=start),
        dml_position=Position(timestamp=dml),
        storage_version=0,
        is_sorted=False,
        **more,
    )


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (segment(binlog_files=logs((40, 50), (30, 45))), RowTimes(oldest=30, newest=50)),
        (segment(binlog_files=logs((40, 50)), dml=60, start=20), RowTimes(oldest=40, newest=60)),
        (segment(binlog_files=logs((40, 50)), start=70), RowTimes(oldest=40, newest=70)),
        (segment(binlog_files=logs((40, 50)), commit_timestamp=90), RowTimes(oldest=90, newest=90)),
        (segment(binlog_files=logs((40, 50)), deltalog_files=logs((45, 80))), RowTimes(oldest=40, newest=80)),
        (segment(level=1, start=10, deltalog_files=logs((5, 80))), RowTimes(oldest=0, newest=80)),
        (segment(rows=0, start=10, dml=20), RowTimes(oldest=0, newest=20)),
        (segment(binlog_files=logs((0, 0)), start=10, dml=20), RowTimes(oldest=10, newest=20)),
        (segment(start=10, dml=20), RowTimes(oldest=10, newest=20)),
        (segment(dml=2**64 - 1), RowTimes(oldest=0, newest=2**64 - 1)),
    ],
    ids=[
        "insert logs",
        "position after the logs",
        "start after the logs",
        "import",
        "deletes",
        "deletes only",
        "no rows",
        "logs without times",
        "no logs",
        "largest",
    ],
)
def test_a_segments_times(manifest: SegmentManifest, expected: RowTimes) -> None:
    assert RowTimes().plus(manifest) == expected


def test_times_of_segments_add_up_in_any_order() -> None:
    segments = [
        segment(binlog_files=logs((40, 50))),
        segment(rows=0, dml=45),
        segment(binlog_files=logs((30, 35))),
        segment(commit_timestamp=90),
    ]
    for order in (segments, segments[::-1]):
        times = RowTimes()
        for each in order:
            times = times.plus(each)
        assert times == RowTimes(oldest=30, newest=90)


@pytest.mark.parametrize(
    ("milliseconds", "lead"),
    [
        (NEW_YEAR - 1_500, timedelta(seconds=1.5)),
        (NEW_YEAR - 1, timedelta(milliseconds=1)),
        (NEW_YEAR, timedelta(0)),
        (NEW_YEAR + DAY, timedelta(0)),
    ],
)
def test_how_far_rows_are_ahead_is_told_to_the_millisecond(milliseconds: int, lead: timedelta) -> None:
    assert ahead(ROWS.newest, clock(milliseconds)) == lead


def test_nothing_known_is_never_ahead() -> None:
    assert not ahead(0, clock(0))


def test_rows_are_waited_for_up_to_the_longest_wait_and_refused_beyond_it() -> None:
    longest = LONGEST_WAIT // timedelta(milliseconds=1)

    require_reachable(ROWS, clock(NEW_YEAR - longest))
    with pytest.raises(InvalidRequest):
        require_reachable(ROWS, clock(NEW_YEAR - longest - 1))


def test_a_refusal_tells_both_times_the_lead_and_what_to_do() -> None:
    with pytest.raises(InvalidRequest) as caught:
        require_reachable(ROWS, clock(NEW_YEAR - 2 * DAY))

    for part in (
        "2026-01-01T00:00:00.000Z",
        "2025-12-30T00:00:00.000Z",
        "2 days, 0:00:00 ahead",
        "by-dev/kv/gid/timestamp",
        "restore after that time",
    ):
        assert part in str(caught.value)


def test_even_the_largest_timestamp_is_refused_with_its_time() -> None:
    with pytest.raises(InvalidRequest, match="4199-"):
        require_reachable(RowTimes(newest=2**64 - 1), clock(NEW_YEAR))


def test_a_wait_is_a_warning_and_its_absence_is_none() -> None:
    warning = clock_warning(ROWS, clock(NEW_YEAR - 90_000))

    assert warning
    assert "90.0 s ahead" in warning
    assert clock_warning(ROWS, clock(NEW_YEAR)) is None


def lifetime(seconds: str | None, milliseconds: int, *, own: bool = True) -> str:
    properties = {TTL: seconds} if seconds is not None else {}
    target, snapshot = (properties, {TTL: "1"}) if own else ({}, properties)
    return lifetime_warning(ROWS, clock(milliseconds), target, snapshot) or ""


@pytest.mark.parametrize(
    ("milliseconds", "told"),
    [
        (NEW_YEAR + 2 * DAY - 1, False),
        (NEW_YEAR + 2 * DAY, True),
        (NEW_YEAR + 3 * DAY - 1, True),
    ],
)
def test_the_oldest_row_has_expired_when_its_lifetime_is_over(milliseconds: int, told: bool) -> None:
    warning = lifetime(str(3 * 86_400), milliseconds)

    assert bool(warning) is told
    if told:
        assert "the target has collection.ttl.seconds 259200: the oldest restored row of" in warning
        assert "2025-12-31T00:00:00.000Z expired at 2026-01-03T00:00:00.000Z" in warning


def test_it_is_told_when_every_row_has_expired() -> None:
    assert "all restored rows have expired" in lifetime(str(3 * 86_400), NEW_YEAR + 3 * DAY)


@pytest.mark.parametrize("seconds", ["0", "-1", "", "soon", "1.5", "²", "9" * 30])
def test_what_is_no_lifetime_in_milvus_is_none_here(seconds: str) -> None:
    assert lifetime(seconds, NEW_YEAR + 10_000 * DAY) == ""


def test_the_targets_lifetime_counts_even_where_the_snapshots_is_shorter() -> None:
    assert lifetime(str(365 * 86_400), NEW_YEAR + DAY) == ""
    assert lifetime("0", NEW_YEAR + DAY) == ""


def test_a_lifetime_that_only_the_snapshot_has_is_told_as_one_that_does_not_count_yet() -> None:
    warning = lifetime("60", NEW_YEAR + DAY, own=False)

    assert warning.startswith(
        "the target lacks, and the snapshot's collection has, collection.ttl.seconds 60"
    )
    assert "once it is set" in warning


def test_a_snapshot_without_rows_has_nothing_to_lose() -> None:
    assert lifetime_warning(RowTimes(newest=5), clock(NEW_YEAR), {TTL: "1"}, {}) is None


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (NEW_YEAR + 7, "2026-01-01T00:00:00.007Z")],
)
def test_moments_are_iso_8601(milliseconds: int, text: str) -> None:
    assert moment(milliseconds) == text
