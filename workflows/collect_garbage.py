"""CollectGarbage: what snapshots and restores have left is found, and where it is confirmed, removed."""

from temporalio import workflow
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

from activities.collecting import CollectingActivities
from restore.garbage import Collected, Garbage, GarbageRequest, GarbageResult, Litter, Removal
from restore.steps import RollbackRequest
from workflows import options
from workflows.control import explain, settle
from workflows.rollback_restore import RollbackRestore


@workflow.defn(name="CollectGarbage")
class CollectGarbage:
    """Removes nothing unless confirmed, and nothing that a committed snapshot names or may name."""

    @workflow.init
    def __init__(self, request: GarbageRequest | None = None) -> None:
        self._request = request or GarbageRequest()

    @workflow.run
    async def run(self, request: GarbageRequest | None = None) -> GarbageResult:
        """Answer with what was found, and with what became of it."""
        try:
            found: Garbage = await settle(
                workflow.start_activity_method(
                    CollectingActivities.find_garbage, self._request, summary="reads only", **options.WHOLE
                )
            )
        except FailureError as error:
            raise explain(error) from error
        collected = [] if not self._request.confirm else await self._collect(found)
        return GarbageResult(
            confirmed=self._request.confirm,
            snapshots=found.snapshots,
            found=found.litter,
            collected=tuple(collected),
            more=found.more,
        )

    async def _collect(self, found: Garbage) -> list[Collected]:
        """One piece after the other; one that cannot be removed does not keep the others."""
        return [await self._remove(each) for each in found.litter if not each.kept]

    async def _remove(self, litter: Litter) -> Collected:
        try:
            await (self._roll_back(litter) if litter.kind == "restore" else self._remove_snapshot(litter))
        except FailureError as error:
            if workflow.cancellation_reason() is not None:
                raise
            return Collected(litter=litter, failure=explain(error).message)
        return Collected(litter=litter)

    async def _remove_snapshot(self, litter: Litter) -> None:
        await settle(
            workflow.start_activity_method(
                CollectingActivities.collect_snapshot,
                Removal(profile=self._request.profile, litter=litter),
                summary=litter.what[:190],
                **options.WHOLE,
            )
        )

    async def _roll_back(self, litter: Litter) -> None:
        await workflow.execute_child_workflow(
            RollbackRestore.run,
            RollbackRequest(
                job_id=litter.job_id,
                destination=self._request.profile,
                reason=f"collected as garbage: {litter.why}",
            ),
            id=litter.rollback_id,
            static_summary=litter.what[:190],
            parent_close_policy=ParentClosePolicy.ABANDON,
        )
