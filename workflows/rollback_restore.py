"""RollbackRestore: after it nothing of a restore remains but its job's record, failed with its reason."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from activities.creating import CreatingActivities
from activities.rollback import RollbackActivities
from restore.steps import Fence, Removal, RollbackRequest, RollbackResult
from workflows import options
from workflows.control import explain, finish, invalid


@workflow.defn(name="RollbackRestore")
class RollbackRestore:
    """Idempotent, metadata first; may be started by hand for a restore whose workflow is gone."""

    @workflow.init
    def __init__(self, request: RollbackRequest | None = None) -> None:
        self._request = request

    @workflow.run
    async def run(self, request: RollbackRequest | None = None) -> RollbackResult:
        """Fence the restore off, remove its records, its objects, the target that it made, its plan."""
        if self._request is None:
            raise invalid("field job_id: Field required; the input is one JSON object")
        return await finish(self._undo(self._request))

    async def _undo(self, request: RollbackRequest) -> RollbackResult:
        try:
            fence: Fence = await workflow.execute_activity_method(
                RollbackActivities.fence_restore, request, summary="raise the epoch", **options.STEP
            )
            records: int = await workflow.execute_activity_method(
                RollbackActivities.remove_records, fence, summary="metadata first", **options.WHOLE
            )
            if fence.unrest_seconds:
                await workflow.sleep(fence.unrest_seconds, summary="until the last task has stopped copying")
            objects: int = await workflow.execute_activity_method(
                RollbackActivities.remove_objects, fence, summary="by plan", **options.WHOLE
            )
            target: Removal = await workflow.execute_activity_method(
                CreatingActivities.remove_target,
                fence,
                summary="only if this restore made it",
                **options.STEP,
            )
            await workflow.execute_activity_method(
                RollbackActivities.forget_restore, fence, summary="plan and reservation", **options.STEP
            )
        except FailureError as error:
            raise _incomplete(request, explain(error)) from error
        return RollbackResult(job_id=request.job_id, records=records, objects=objects, target=target)


def _incomplete(request: RollbackRequest, cause: ApplicationError) -> ApplicationError:
    if cause.type == "InvalidRequest":  # refused before anything was removed
        return cause
    return ApplicationError(
        f"the rollback of restore {request.job_id} could not finish: {cause.message}; "
        "start RollbackRestore again with the same job_id once the cause is removed",
        type="RollbackIncomplete",
        non_retryable=True,
    )
