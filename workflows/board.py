"""What people see of a running restore: progress, search attributes, current details."""

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate
from temporalio.exceptions import ApplicationError

from restore.carry import Carry, RestoreInput
from restore.plan import PlanRef
from restore.progress import Phase, Progress, RestoreResult
from restore.steps import Certified, Completion, StagedPlan
from restore.tally import Clock, Counts, Tally, percent, progress
from workflows import details
from workflows import search_attributes as attributes
from workflows.control import root_cause
from workflows.window import Window

_STEP_PERCENT = 5
"""An upsert is an event of the history, so the percentage is upserted in steps."""


class Board:
    """Holds the figures and shows them after each change."""

    def __init__(self, request: RestoreInput, window: Window) -> None:
        carry = request.carry
        self.phase: Phase = "copying" if carry else "planning"
        self.message = ""
        self.plan: PlanRef | None = carry.plan if carry else None
        self.tally = Tally(carry.done if carry else Counts())
        self.clock = _clock(carry)
        self.searchable = carry.search_attributes if carry else False
        self._request = request
        self._window = window
        self._percent = -1

    def take_over(self, plan: PlanRef) -> None:
        """Show a plan of which all is in place and proved, by an earlier run."""
        self.plan = plan
        self.tally = Tally(
            Counts(
                tasks=plan.tasks,
                segments=plan.segments,
                objects=plan.objects,
                skipped=plan.objects,
                bytes=plan.bytes,
            )
        )

    def enter(self, phase: Phase, message: str = "") -> None:
        """Show that a phase has begun."""
        self.phase = phase
        self.message = message
        if phase == "copying" and self.clock.copying is None:
            self.clock = self.clock.model_copy(update={"copying": workflow.now()})
        workflow.logger.info("phase %s: %s", phase, message or "-", extra={"restore": self._fields()})
        self._upsert(attributes.PHASE.value_set(phase))
        self.show()

    def tell(self, message: str) -> None:
        """Show a message within the phase."""
        self.message = message
        self.show()

    def name(self, snapshot_name: str) -> None:
        """Make the restore findable by its target and snapshot; only where the server knows how."""
        self._upsert(
            attributes.TARGET.value_set(self._request.target),
            attributes.SNAPSHOT_NAME.value_set(snapshot_name),
            attributes.PHASE.value_set(self.phase),
        )

    def name_refused(self, error: BaseException) -> None:
        """Make a restore findable that was refused at its opening; the failure tells whether it can be."""
        cause = root_cause(error)
        self.searchable = isinstance(cause, ApplicationError) and True in cause.details
        self._upsert(
            attributes.TARGET.value_set(self._request.target), attributes.PHASE.value_set(self.phase)
        )

    def progress(self) -> Progress:
        """The figures now."""
        return progress(
            self.phase,
            self.plan,
            self.tally,
            self.clock,
            workflow.now(),
            concurrency=self._window.concurrency,
            paused=self._window.paused,
            message="; ".join(part for part in (self.message, *self._warnings()) if part),
        )

    def completion(self, staged: StagedPlan) -> Completion:
        """What the certificate tells beside the plan."""
        done = self.tally.done
        return Completion(
            staged=staged,
            objects=done.objects,
            objects_skipped=done.skipped,
            bytes=done.bytes,
            started_at=self.clock.started.isoformat(),
        )

    def result(self, plan: PlanRef, certified: Certified) -> RestoreResult:
        """What a finished restore answers."""
        done = self.tally.done
        return RestoreResult(
            job_id=plan.job_id,
            collection_id=plan.collection_id,
            segments=plan.segments,
            rows=plan.rows,
            objects=done.objects,
            objects_skipped=done.skipped,
            bytes=done.bytes,
            seconds=round((workflow.now() - self.clock.started).total_seconds(), 3),
            certificate=certified.uri,
            warnings=plan.warnings,
        )

    def show(self) -> None:
        """Refresh details and percentage; call it after the change."""
        figures = self.progress()
        running = [self.tally.running(index) for index in self._window.running]
        workflow.set_current_details(
            details.render(figures, running, workflow.info().namespace, children_of(self._request))
        )
        share = percent(figures)
        if share >= self._percent + _STEP_PERCENT or (share == 100) != (self._percent == 100):
            self._percent = share
            self._upsert(attributes.PERCENT.value_set(share))

    def _fields(self) -> dict[str, str]:
        """What a log line names; the sandbox keeps a workflow from the context that activities log in."""
        plan = self.plan
        ids = {"jobID": plan.job_id, "collectionID": plan.collection_id} if plan else {}
        return {**ids, "state": self.phase}

    def _warnings(self) -> tuple[str, ...]:
        """What the plan warns of, as long as the restore goes on or has succeeded."""
        over = self.phase in ("rolling_back", "failed", "canceled")
        return () if over or self.plan is None else self.plan.warnings

    def _upsert(self, *updates: SearchAttributeUpdate[str] | SearchAttributeUpdate[int]) -> None:
        if self.searchable:
            workflow.upsert_search_attributes(updates)


def children_of(request: RestoreInput) -> str:
    """The common beginning of the ids of a restore's CopySegment children."""
    return f"restore/{request.database}/{request.target}/task-"


def _clock(carry: Carry | None) -> Clock:
    if carry:
        return Clock(started=carry.started, copying=carry.copying)
    return Clock(started=workflow.info().workflow_start_time)
