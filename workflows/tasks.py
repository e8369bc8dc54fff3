"""Starting a restore's tasks, each under an id that only one of a target has at a time."""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from restore.carry import RestoreInput
from restore.steps import StagedPlan, TaskRef
from workflows.board import children_of
from workflows.copy_segment import CopySegment
from workflows.window import Child

PAUSE = timedelta(seconds=4)
PAUSES = 12
"""Together more than the 40 s in which a task of a terminated restore stops, even one whose worker died."""


async def start_task(request: RestoreInput, staged: StagedPlan, index: int) -> Child:
    """Return the running task; TargetBusy when another one has its id for longer than it takes to stop."""
    for _ in range(PAUSES):
        try:
            return await _start(request, staged, index)
        except WorkflowAlreadyStartedError:
            if not workflow.patched("wait-for-an-earlier-task"):
                raise
        await workflow.sleep(PAUSE, summary=f"an earlier task-{index} to this target is still stopping")
    raise ApplicationError(
        f"the workflow {children_of(request)}{index} of another restore to {request.database}/"
        f"{request.target} still runs; wait for it or terminate it, then start this restore again",
        type="TargetBusy",
        non_retryable=True,
    )


async def _start(request: RestoreInput, staged: StagedPlan, index: int) -> Child:
    return await workflow.start_child_workflow(
        CopySegment.run,
        TaskRef(plan=staged.plan, epoch=staged.epoch, index=index, parent=workflow.info().workflow_id),
        id=f"{children_of(request)}{index}",
        static_summary=f"task-{index}, {index + 1} of {staged.plan.tasks}, "
        f"of snapshot {staged.plan.snapshot_name}",
        parent_close_policy=ParentClosePolicy.REQUEST_CANCEL,
    )
