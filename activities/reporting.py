"""Telling the workflow how far a task is, now and then."""

from temporalio import activity
from temporalio.service import RPCError

from activities.copy_run import CopyRun
from restore.steps import CopyReport, TaskRef

REPORTS = 20
"""Reports of a whole restore, about: each is an event of its workflow's history and a row of its timeline, so
their number must not grow with the restore.
"""


class Reporter:
    """Heartbeats on every beat; signals the parent when a twentieth of the whole was done since the last.

    It also tells, once, that the copying halts: that is what a pause waits for.
    """

    def __init__(self, task: TaskRef, run: CopyRun, *, objects: int, size: int) -> None:
        self._task = task
        self._run = run
        self._before = (objects, size)
        self._told = (0, 0)
        self._told_halt = False

    async def beat(self) -> None:
        """Send a heartbeat, and a report when it is due."""
        activity.heartbeat(self._report())
        if self._due():
            self._told = (self._run.objects, self._run.bytes)
            self._told_halt = self._run.halted
            await self._signal()

    def _report(self) -> CopyReport:
        objects, size = self._before
        return CopyReport(
            index=self._task.index,
            objects=objects + self._run.objects,
            bytes=size + self._run.bytes,
            halted=self._run.halted,
        )

    def _due(self) -> bool:
        if self._run.halted and not self._told_halt:
            return True
        objects, size = self._run.objects - self._told[0], self._run.bytes - self._told[1]
        plan = self._task.plan
        return objects > plan.objects / REPORTS or size > plan.bytes / REPORTS

    async def _signal(self) -> None:
        try:
            parent = activity.client().get_workflow_handle(self._task.parent)
            await parent.signal("report_copied", self._report())
        except RPCError as error:
            # Progress is for people: a restore whose parent is gone or unreachable still copies.
            activity.logger.debug("progress was not reported: %s", error)
