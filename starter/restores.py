"""Restores as Temporal knows them: their ids, how to find one, whether anybody works on it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.service import RPCError, RPCStatusCode

from restore.progress import Progress, RestoreResult
from starter.exit_codes import ExitCode, Stop

WORKFLOW: Final = "RestoreSnapshot"

_POLL_LIFE = timedelta(seconds=75)
"""A worker polls anew each minute, so one that last did so longer ago is gone."""


class SeenProgress(Progress, extra="ignore"):
    """Progress as answered by a worker that may be newer than this command line."""


class SeenResult(RestoreResult, extra="ignore"):
    """A result as answered by a worker that may be newer than this command line."""


Handle = WorkflowHandle[object, SeenResult]


def workflow_id(database: str, target: str) -> str:
    """Return the id under which a target is restored: one target, one id, so one restore at a time."""
    return f"restore/{database}/{target}"


def handle(client: Client, restore_id: str, run_id: str | None = None) -> Handle:
    """Return the handle of a restore whose result is read leniently."""
    return client.get_workflow_handle(restore_id, run_id=run_id, result_type=SeenResult)


async def find(client: Client, name: str | None, database: str) -> WorkflowExecutionDescription:
    """Return the restore into a target or with a workflow id; without a name the latest, running ones first.

    Raises Stop when there is none.
    """
    for candidate in _ids(name, database) if name else await _latest(client):
        try:
            found = await handle(client, candidate).describe()
        except RPCError as error:
            if error.status in {RPCStatusCode.NOT_FOUND, RPCStatusCode.INVALID_ARGUMENT}:
                continue
            raise
        return _a_restore(found)
    what = f"into '{database}/{name}', nor with the workflow id '{name}'" if name else "at all"
    place = f"namespace '{client.namespace}'"
    raise Stop(ExitCode.WRONG_USAGE, f"no restore {what}, is known in {place}; see `milvus-restore list`")


def _ids(name: str, database: str) -> list[str]:
    if name.startswith("restore/"):
        return [name]
    return [workflow_id(database, name), name]


async def _latest(client: Client) -> list[str]:
    return [each.id async for each in client.list_workflows(f"WorkflowType='{WORKFLOW}'", limit=1)]


def _a_restore(found: WorkflowExecutionDescription) -> WorkflowExecutionDescription:
    if found.workflow_type == WORKFLOW:
        return found
    raise Stop(ExitCode.WRONG_USAGE, f"the workflow '{found.id}' is a {found.workflow_type}, not a restore")


def is_running(found: WorkflowExecutionDescription) -> bool:
    """Tell whether the restore has not ended yet."""
    return found.status is WorkflowExecutionStatus.RUNNING


async def has_worker(
    client: Client,
    task_queue: str,
    kind: "TaskQueueType.ValueType" = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
) -> bool:
    """Tell whether a worker has asked for tasks of a kind lately; one that has just died still counts."""
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=kind,
        ),
        timeout=timedelta(seconds=5),
    )
    oldest = datetime.now(UTC) - _POLL_LIFE
    return any(poller.last_access_time.ToDatetime(UTC) > oldest for poller in answer.pollers)


def no_worker(task_queue: str) -> str:
    """Say that nobody works, and what to do."""
    return f"no worker polls the task queue '{task_queue}'; start one with `python worker.py`"
