"""Counting what a restore has done, from reports that may come twice or out of order."""

from datetime import datetime

from formats.model import Model
from restore.plan import PlanRef
from restore.progress import Phase, Progress
from restore.steps import CopyReport, TaskResult


class Counts(Model):
    """Sums over finished tasks; bytes are those found in the store, not those recorded."""

    tasks: int = 0
    segments: int = 0
    objects: int = 0
    skipped: int = 0
    bytes: int = 0

    def plus(self, result: TaskResult) -> "Counts":
        """The sums with one more task."""
        return Counts(
            tasks=self.tasks + 1,
            segments=self.segments + result.segments,
            objects=self.objects + result.objects,
            skipped=self.skipped + result.skipped,
            bytes=self.bytes + result.bytes,
        )


class Tally:
    """What is done and what is running. Never counts a task twice, never goes back while a task runs."""

    def __init__(self, done: Counts) -> None:
        self.done = done
        self._running: dict[int, CopyReport] = {}

    def report(self, report: CopyReport) -> None:
        """Take note of how far a task is; a report from before the newest one changes nothing."""
        known = self.running(report.index)
        self._running[report.index] = CopyReport(
            index=report.index,
            objects=max(known.objects, report.objects),
            bytes=max(known.bytes, report.bytes),
        )

    def finish(self, index: int, result: TaskResult) -> None:
        """Count a task as done."""
        self._running.pop(index, None)
        self.done = self.done.plus(result)

    def running(self, index: int) -> CopyReport:
        """How far a task is."""
        return self._running.get(index, CopyReport(index=index, objects=0, bytes=0))

    @property
    def objects(self) -> int:
        """Objects in place."""
        return self.done.objects + sum(each.objects for each in self._running.values())

    @property
    def bytes(self) -> int:
        """Bytes in place."""
        return self.done.bytes + sum(each.bytes for each in self._running.values())


class Clock(Model):
    """When a restore and its copying began."""

    started: datetime
    copying: datetime | None = None


def progress(
    phase: Phase,
    plan: PlanRef | None,
    tally: Tally,
    clock: Clock,
    now: datetime,
    *,
    concurrency: int,
    paused: bool,
    message: str,
) -> Progress:
    """The figures of the `progress` query. Totals that a plan estimates never fall below what is done."""
    objects, size = tally.objects, tally.bytes
    seconds = (now - clock.copying).total_seconds() if clock.copying else 0.0
    objects_total = plan.objects if plan else 0
    over = plan is not None and objects >= objects_total
    bytes_total = size if over else max(plan.bytes, size) if plan else 0
    speed = size / seconds if seconds > 0 else 0.0
    pace = objects / seconds if seconds > 0 else 0.0
    return Progress(
        phase=phase,
        segments_total=plan.segments if plan else 0,
        segments_done=tally.done.segments,
        objects_total=objects_total,
        objects_done=objects,
        bytes_total=bytes_total,
        bytes_done=size,
        objects_per_second=round(pace, 1),
        bytes_per_second=round(speed, 1),
        seconds_left=_seconds_left(objects_total - objects, pace, bytes_total - size, speed),
        concurrency=concurrency,
        paused=paused,
        started_at=clock.started.isoformat(),
        message=message,
    )


def _seconds_left(objects: int, pace: float, size: int, speed: float) -> float | None:
    if not pace:
        return None
    return round(max(objects / pace, size / speed if speed else 0.0), 1)


def percent(progress: Progress) -> int:
    """Whole percent, of objects and bytes the one that is further behind; 100 only when all is in place."""
    if not progress.objects_total:
        return 100 if progress.phase == "completed" else 0
    by_objects = progress.objects_done / progress.objects_total
    by_bytes = progress.bytes_done / progress.bytes_total if progress.bytes_total else by_objects
    return int(100 * min(by_objects, by_bytes, 1.0))
