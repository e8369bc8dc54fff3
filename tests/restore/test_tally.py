from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore.plan import PlanRef
from restore.progress import Phase, Progress
from restore.steps import CopyReport, TaskResult
from restore.tally import Clock, Counts, Tally, percent, progress

START = datetime(2026, 1, 1, tzinfo=UTC)
COPYING = START + timedelta(seconds=5)

counts = st.integers(min_value=0, max_value=10**6)


def plan(*, objects: int = 100, size: int = 1_000, segments: int = 4) -> PlanRef:
    return PlanRef(
        job_id="1",
        collection_id="2",
        snapshot_name="nightly",
        profile="default",
        bucket="b",
        key="k",
        digest="d",
        tasks=2,
        segments=segments,
        rows=10,
        objects=objects,
        bytes=size,
    )


def figures(
    tally: Tally,
    of: PlanRef | None,
    *,
    phase: Phase = "copying",
    copying: datetime | None = COPYING,
    after: float = 10.0,
) -> Progress:
    """The progress so many seconds after copying began."""
    return progress(
        phase,
        of,
        tally,
        Clock(started=START, copying=copying),
        COPYING + timedelta(seconds=after),
        concurrency=3,
        paused=False,
        message="",
    )


def done(*, objects: int, size: int, skipped: int = 0, segments: int = 1) -> TaskResult:
    return TaskResult(segments=segments, objects=objects, skipped=skipped, bytes=size)


def counted(**fields: Any) -> Tally:
    """A tally with one finished task."""
    tally = Tally(Counts())
    tally.finish(0, done(**fields))
    return tally


def test_finished_tasks_are_summed() -> None:
    tally = Tally(Counts())
    tally.finish(0, done(objects=10, skipped=4, size=100, segments=2))
    tally.finish(1, done(objects=1, skipped=1, size=7, segments=1))

    assert tally.done == Counts(tasks=2, segments=3, objects=11, skipped=5, bytes=107)
    assert (tally.objects, tally.bytes) == (11, 107)


def test_counting_goes_on_from_what_an_earlier_run_has_done() -> None:
    tally = Tally(Counts(tasks=3, segments=3, objects=30, skipped=2, bytes=300))
    tally.finish(3, done(objects=10, size=100))

    assert tally.done == Counts(tasks=4, segments=4, objects=40, skipped=2, bytes=400)


def test_a_running_task_counts_by_its_newest_report() -> None:
    tally = counted(objects=10, size=100)
    tally.report(CopyReport(index=1, objects=3, bytes=30))
    tally.report(CopyReport(index=1, objects=5, bytes=50))

    assert (tally.objects, tally.bytes) == (15, 150)
    assert tally.running(1) == CopyReport(index=1, objects=5, bytes=50)
    assert tally.running(2) == CopyReport(index=2, objects=0, bytes=0)


def test_a_finished_task_is_not_counted_by_its_reports_too() -> None:
    tally = Tally(Counts())
    tally.report(CopyReport(index=0, objects=9, bytes=90))
    tally.finish(0, done(objects=10, size=100))

    assert (tally.objects, tally.bytes) == (10, 100)
    assert tally.running(0).objects == 0


@given(st.lists(st.tuples(counts, counts), min_size=1))
def test_reports_may_come_twice_and_in_any_order(reports: list[tuple[int, int]]) -> None:
    tally = Tally(Counts())
    seen = []
    for objects, size in [*reports, *reversed(reports)]:
        tally.report(CopyReport(index=0, objects=objects, bytes=size))
        seen.append((tally.objects, tally.bytes))

    assert seen[-1] == (max(each for each, _ in reports), max(each for _, each in reports))
    assert [each for each, _ in seen] == sorted(each for each, _ in seen), "a figure went back"
    assert [each for _, each in seen] == sorted(each for _, each in seen), "a figure went back"


def test_rates_are_means_since_copying_began() -> None:
    shown = figures(counted(objects=25, size=400), plan(), after=10)

    assert (shown.objects_per_second, shown.bytes_per_second) == (2.5, 40.0)


@pytest.mark.parametrize(
    ("objects", "size", "left"),
    [
        (50, 500, 10.0),
        (50, 900, 10.0),  # objects are further behind: 50 more at 5 a second
        (90, 250, 30.0),  # bytes are: 750 more at 25 a second
        (100, 1_000, 0.0),
    ],
)
def test_the_time_left_is_that_of_what_is_further_behind(objects: int, size: int, left: float) -> None:
    assert figures(counted(objects=objects, size=size), plan(), after=10).seconds_left == left


def test_no_time_left_is_told_while_no_rate_is_known() -> None:
    assert figures(Tally(Counts()), plan()).seconds_left is None
    assert figures(Tally(Counts()), None).seconds_left is None
    assert figures(counted(objects=5, size=5), plan(), copying=None).seconds_left is None
    assert figures(counted(objects=5, size=5), plan(), after=0).seconds_left is None


def test_objects_without_bytes_have_a_time_left_too() -> None:
    shown = figures(counted(objects=20, size=0), plan(objects=100, size=0), after=10)

    assert shown.seconds_left == 40.0


def test_before_the_plan_everything_is_zero() -> None:
    shown = figures(Tally(Counts()), None, phase="planning", copying=None)

    assert (shown.segments_total, shown.objects_total, shown.bytes_total) == (0, 0, 0)
    assert (shown.objects_per_second, shown.bytes_per_second) == (0.0, 0.0)
    assert shown.started_at == "2026-01-01T00:00:00+00:00"
    assert percent(shown) == 0


def test_the_total_grows_with_more_bytes_than_the_plan_estimated() -> None:
    assert figures(counted(objects=50, size=1_200), plan()).bytes_total == 1_200


def test_the_total_falls_to_what_was_found_once_all_objects_are_in_place() -> None:
    shown = figures(counted(objects=100, size=800), plan())

    assert (shown.bytes_done, shown.bytes_total) == (800, 800)
    assert percent(shown) == 100


@pytest.mark.parametrize(
    ("objects", "size", "share"),
    [(0, 0, 0), (50, 500, 50), (99, 999, 99), (99, 1_000, 99), (90, 250, 25), (100, 1_000, 100)],
)
def test_the_percentage_is_of_what_is_further_behind(objects: int, size: int, share: int) -> None:
    assert percent(figures(counted(objects=objects, size=size), plan())) == share


@given(objects=counts, size=counts, of_objects=counts, of_bytes=counts)
def test_figures_stay_within_their_bounds(objects: int, size: int, of_objects: int, of_bytes: int) -> None:
    shown = figures(counted(objects=objects, size=size), plan(objects=of_objects, size=of_bytes))

    assert 0 <= percent(shown) <= 100
    assert shown.bytes_done <= shown.bytes_total
    assert shown.seconds_left is None or shown.seconds_left >= 0
