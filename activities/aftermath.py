"""Whether tasks of a restore may still be copying when it is rolled back by hand."""

from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from restore.errors import InvalidRequest
from restore.steps import UNREST_SECONDS

_LATELY = timedelta(minutes=2)
_CUT_OFF = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.TIMED_OUT)


async def unrest_after(workflow_id: str) -> float:
    """Return for how many seconds tasks of a workflow that has ended may go on; InvalidRequest if it runs.

    One that ended by itself has waited for them. One that was terminated has not: they hear of it with their
    next heartbeat.
    """
    found = await _described(workflow_id)
    if found is None or found.close_time is None:
        return 0.0
    lately = datetime.now(UTC) - found.close_time < _LATELY
    return UNREST_SECONDS if found.status in _CUT_OFF and lately else 0.0


async def _described(workflow_id: str) -> WorkflowExecutionDescription | None:
    try:
        found = await activity.client().get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    if found.status is WorkflowExecutionStatus.RUNNING:
        raise InvalidRequest(
            f"the workflow {workflow_id} of this restore runs: cancel it, and it rolls itself back; where it "
            "cannot, terminate it first"
        )
    return found
