"""RestoreSnapshot: plan, reserve, copy, prove, publish; or leave nothing behind."""

import asyncio
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.workflow import ParentClosePolicy

from activities.creating import CreatingActivities
from activities.opening import OpeningActivities
from activities.planning import PlanningActivities
from activities.reserving import ReserveActivities
from activities.verifying import VerifyActivities
from restore.carry import Carry, RestoreInput
from restore.plan import PlanRef
from restore.progress import Progress, RestoreResult
from restore.request import Concurrency
from restore.steps import (
    UNREST_SECONDS,
    Claim,
    CopyReport,
    Opening,
    PlanOrder,
    Reservation,
    RollbackRequest,
    StagedPlan,
    TaskResult,
)
from workflows import options
from workflows.board import Board
from workflows.control import explain, finish, first_failure, invalid, settle, was_cut_off
from workflows.holds import Holds
from workflows.publication import publish
from workflows.rollback_restore import RollbackRestore
from workflows.tasks import start_task
from workflows.window import Child, Window

_CANCELLED = "cancelled"


@workflow.defn(name="RestoreSnapshot")
class RestoreSnapshot:
    """The whole restore of one snapshot into one collection (architecture, section 2)."""

    @workflow.init
    def __init__(self, request: RestoreInput | None = None) -> None:
        # Only a missing input lacks both; `run` refuses it before anything looks at the placeholder.
        self._given = request is not None
        self._request = request or RestoreInput(snapshot="-", target="-")
        carry = self._request.carry
        self._job_id = carry.plan.job_id if carry else None
        self._epoch = carry.epoch if carry else None
        self._finishing = False
        self._hold = Holds(carry)
        self._window = (
            Window(carry.concurrency, cursor=carry.cursor, again=carry.again, paused=carry.paused)
            if carry
            else Window(self._request.concurrency)
        )
        self._board = Board(self._request, self._window)

    @workflow.run
    async def run(self, request: RestoreInput | None = None) -> RestoreResult:
        """Answer with the result once every segment is published."""
        self._require_input()
        try:
            staged = await self._stage()
        except (FailureError, asyncio.CancelledError, BaseExceptionGroup) as error:
            await self._end(error)
        if not self._window.finished:
            workflow.continue_as_new(self._request.model_copy(update={"carry": self._carry(staged)}))
        return await finish(self._publish(staged), refused=self._refuse_cancel)

    def _require_input(self) -> None:
        if not self._given:
            raise invalid("fields snapshot and target: Field required; the input is one JSON object")
        if self._request.carry and workflow.info().continued_run_id is None:
            raise invalid("field carry: it is the workflow's own, from run to run; leave it out")

    async def _stage(self) -> StagedPlan:
        if self._request.carry:
            self._hold.renew(at_once=True)
        staged = await self._plan_and_reserve() if self._request.carry is None else self._carried()
        if not self._finishing:
            await self._copy_and_verify(staged)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError
        return staged

    async def _copy_and_verify(self, staged: StagedPlan) -> None:
        self._window.tasks = staged.plan.tasks
        self._board.enter("copying")
        await self._window.run(self._start_task, self._finish_task, self._history_is_long)
        if self._window.finished:
            self._board.enter("verifying")
            await settle(
                workflow.start_activity_method(
                    VerifyActivities.verify_restore,
                    staged,
                    summary=f"{staged.plan.segments} segments, {staged.plan.rows} rows",
                    **options.WHOLE,
                )
            )

    async def _plan_and_reserve(self) -> StagedPlan:
        try:
            opening = await self._open()
        except FailureError as error:
            self._board.name_refused(error)
            raise
        self._board.searchable = opening.search_attributes
        self._board.name(opening.snapshot_name)
        if opening.unfinished:
            return self._take_over(opening.unfinished)
        if not opening.kept:
            await self._hold.take(self._request.public, opening)
        # What was kept is another run's as well until it is reserved: a rollback would take it from both.
        self._job_id = None if opening.kept else opening.job_id
        self._board.plan = await self._read_plan(opening)
        self._board.enter("preparing")
        claim = Claim(plan=self._board.plan, workflow_id=workflow.info().workflow_id)
        reservation: Reservation = await settle(
            workflow.start_activity_method(ReserveActivities.reserve_target, claim, **options.STEP)
        )
        self._job_id, self._epoch = opening.job_id, reservation.epoch
        if opening.kept:  # the pin is the job's, whoever goes on with it
            await self._hold.take(self._request.public, opening)
        return self._carried()

    def _take_over(self, unfinished: StagedPlan) -> StagedPlan:
        """An earlier run was ended while it published: without `_job_id`, nothing of it is rolled back."""
        self._finishing, self._epoch = True, unfinished.epoch
        self._board.take_over(unfinished.plan)
        return unfinished

    async def _open(self) -> Opening:
        return await settle(
            workflow.start_activity_method(
                OpeningActivities.open_restore,
                self._request.public,
                summary="snapshot readable, target empty and equal, or absent",
                **options.OPEN,
            )
        )

    async def _read_plan(self, opening: Opening) -> PlanRef:
        order = PlanOrder(job_id=opening.job_id, request=self._request.public)
        if opening.create_target:
            await settle(
                workflow.start_activity_method(
                    CreatingActivities.create_target, order, summary="as in the snapshot", **options.STEP
                )
            )
        return await settle(
            workflow.start_activity_method(
                PlanningActivities.plan_restore,
                order,
                summary="read the segment manifests, allocate ids",
                **options.PLAN,
            )
        )

    def _carried(self) -> StagedPlan:
        if self._board.plan is None or self._epoch is None:
            raise ApplicationError("a restore was carried on without its plan", non_retryable=True)
        return StagedPlan(plan=self._board.plan, epoch=self._epoch)

    async def _start_task(self, index: int) -> Child:
        return await start_task(self._request, self._carried(), index)

    def _finish_task(self, index: int, result: TaskResult) -> None:
        self._board.tally.finish(index, result)
        self._board.show()

    def _history_is_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    async def _publish(self, staged: StagedPlan) -> RestoreResult:
        self._board.enter("publishing")
        try:
            certified = await publish(self._board.completion(staged), self._board.tell)
        except ApplicationError as failure:
            self._board.enter("failed", failure.message)
            await self._hold.release(published=True)
            raise
        await self._hold.release(published=True)
        self._board.enter("completed", self._board.message)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self._board.result(staged.plan, certified)

    def _refuse_cancel(self) -> None:
        self._board.tell(
            "a cancel was refused: publishing cannot be undone once it has begun; it is being finished"
        )

    async def _end(self, error: BaseException) -> NoReturn:
        """Leave nothing behind (or what was asked to be kept), then fail with the root cause."""
        cancelled = workflow.cancellation_reason() is not None  # a rollback may swallow a later cancel
        first = first_failure(error)
        unrest = UNREST_SECONDS if was_cut_off(error) else 0.0
        failure = await finish(self._undo(None if cancelled else explain(first), unrest))
        await finish(self._hold.release())
        if failure is None:
            self._board.enter("canceled", _CANCELLED)
        else:
            self._board.enter("failed", failure.message)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if failure is None:
            raise asyncio.CancelledError from None
        raise failure from first

    async def _undo(self, failure: ApplicationError | None, unrest: float) -> ApplicationError | None:
        """Return how the restore ends: by its failure, None for a cancel, or what could not be undone."""
        if self._job_id is None:
            return failure
        if failure and self._request.on_failure == "keep" and self._epoch is not None:
            return await self._keep(failure)
        reason = failure.message if failure else _CANCELLED
        self._board.enter("rolling_back", reason)
        try:
            await self._roll_back(self._job_id, reason, unrest)
        except FailureError as left:
            message = f"{explain(left).message}; it was rolled back because of: {reason}"
            return ApplicationError(message, type="RollbackIncomplete", non_retryable=True)
        return failure

    async def _keep(self, failure: ApplicationError) -> ApplicationError:
        try:
            await workflow.execute_activity_method(
                ReserveActivities.keep_restore, self._carried(), summary="for a later run", **options.STEP
            )
        except FailureError as left:
            return explain(failure, note=f"; what it staged could not be kept: {explain(left).message}")
        return failure

    async def _roll_back(self, job_id: str, reason: str, unrest: float) -> None:
        where = self._request.destination
        await workflow.execute_child_workflow(
            RollbackRestore.run,
            RollbackRequest(job_id=job_id, destination=where, reason=reason, unrest_seconds=unrest),
            id=f"restore/{self._request.database}/{self._request.target}/rollback-{job_id}",
            static_summary=f"undo restore {job_id}",
            # Survives a terminate of this workflow.
            parent_close_policy=ParentClosePolicy.ABANDON,
        )

    def _carry(self, staged: StagedPlan) -> Carry:
        board, window = self._board, self._window
        return Carry(
            plan=staged.plan,
            epoch=staged.epoch,
            search_attributes=board.searchable,
            cursor=window.cursor,
            again=tuple(window.again),
            done=board.tally.done,
            concurrency=window.concurrency,
            paused=window.paused,
            started=board.clock.started,
            copying=board.clock.copying,
            pin=self._hold.source.pin,
            pause=self._hold.collection.pause,
        )

    @workflow.query(description="Phase, counts, rates and time left.")
    def progress(self) -> Progress:
        """The figures now."""
        return self._board.progress()

    @workflow.update(description="Stop copying at the next object; answers when nothing runs any more.")
    async def pause(self) -> Progress:
        """Interrupt the running tasks; what they copied stays."""
        await self._window.pause()
        self._board.show()
        return self.progress()

    @workflow.update(description="Go on after a pause.")
    async def resume(self) -> Progress:
        """Start tasks again."""
        self._window.paused = False
        self._board.show()
        return self.progress()

    @workflow.update(description='How many tasks run at once: {"value": 1..256}.')
    async def set_concurrency(self, to: Concurrency) -> Progress:
        """Change how many tasks run at once; running ones are not interrupted."""
        self._window.concurrency = to.value
        self._board.show()
        return self.progress()

    @workflow.signal(description="For the copying activities: how far a task is.")
    def report_copied(self, report: CopyReport) -> None:
        """Take note of a task's progress."""
        if report.index in self._window.running:
            self._board.tally.report(report)
            if report.halted:
                self._window.halt(report.index)
            self._board.show()
