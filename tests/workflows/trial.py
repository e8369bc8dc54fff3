"""One restore on a real server: its client, its worker, and how it ends."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.worker import Worker

from activities.edge import ErrorTranslation
from restore.carry import RestoreInput
from restore.garbage import GarbageResult
from restore.progress import Progress, RestoreResult
from restore.snapshot_drop import DropResult
from restore.snapshot_export import ExportResult
from restore.snapshot_request import SnapshotResult
from restore.steps import RollbackRequest, RollbackResult
from tests.workflows.fakes import FakeActivities
from tests.workflows.world import World
from workflows import WORKFLOWS, RestoreSnapshot, RollbackRestore

BEAT = timedelta(seconds=0.05)
STICKY = timedelta(seconds=1)
PATIENCE = 30.0

Restore = WorkflowHandle[RestoreSnapshot, RestoreResult]


@dataclass
class Trial:
    """A world, and the restores that are tried in it; `started` lists their workflow and run ids."""

    client: Client
    cache: int
    world: World = field(default_factory=World)
    target: str = field(default_factory=lambda: f"orders_{secrets.token_hex(4)}")
    started: list[tuple[str, str]] = field(default_factory=list)

    @property
    def queue(self) -> str:
        return f"q-{self.target}"

    @property
    def id(self) -> str:
        return f"restore/default/{self.target}"

    @property
    def rollback(self) -> WorkflowHandle[RollbackRestore, RollbackResult]:
        """The rollback of the restore's newest job."""
        return self.client.get_workflow_handle_for(
            RollbackRestore.run, f"{self.id}/rollback-{self.world.job}"
        )

    def worker(self) -> Worker:
        """A worker with the real workflows and this world's activities."""
        return Worker(
            self.client,
            task_queue=self.queue,
            workflows=WORKFLOWS,
            activities=FakeActivities(self.world).all(),
            interceptors=[ErrorTranslation(search_attributes=True)],
            max_cached_workflows=self.cache,
            # What waits for a worker that is gone goes to another one after this time.
            sticky_queue_schedule_to_start_timeout=STICKY,
            max_heartbeat_throttle_interval=BEAT,
            default_heartbeat_throttle_interval=BEAT,
        )

    async def start(self, **fields: Any) -> Restore:
        """A restore into the target, with the request's other fields as given."""
        request = RestoreInput(snapshot="orders/nightly", target=self.target, **fields)
        return cast(Restore, await self.begin("RestoreSnapshot", request))

    async def begin(self, workflow: str, *values: Any, id: str | None = None) -> WorkflowHandle[Any, Any]:  # noqa: A002 - Temporal's name
        """A workflow by its name with any input, as the command line starts it."""
        handle = await self.client.start_workflow(
            workflow, args=values, id=id or self.id, task_queue=self.queue, result_type=RESULTS.get(workflow)
        )
        self.started.append((handle.id, handle.first_execution_run_id or ""))
        return handle

    async def undo(self, request: RollbackRequest) -> RollbackResult:
        """A rollback by hand."""
        return cast(RollbackResult, await (await self.begin("RollbackRestore", request)).result())

    def task(self, index: int) -> WorkflowHandle[Any, Any]:
        """The newest CopySegment of a task."""
        return self.client.get_workflow_handle(f"{self.id}/task-{index}")


RESULTS: dict[str, type] = {
    "RestoreSnapshot": RestoreResult,
    "RollbackRestore": RollbackResult,
    "CreateSnapshot": SnapshotResult,
    "DropSnapshot": DropResult,
    "CollectGarbage": GarbageResult,
    "ExportSnapshot": ExportResult,
}


async def failure_of(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    """The top-level failure of a workflow that ends FAILED."""
    error = await _end_of(handle)
    assert isinstance(error, ApplicationError), f"ended with {error!r}"
    assert await status(handle) == WorkflowExecutionStatus.FAILED
    return error


async def ends_cancelled(handle: WorkflowHandle[Any, Any]) -> None:
    """Return once the workflow has ended CANCELED."""
    await _end_of(handle)
    assert await status(handle) == WorkflowExecutionStatus.CANCELED


async def status(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionStatus | None:
    return (await handle.describe()).status


async def progress(handle: WorkflowHandle[Any, Any]) -> Progress:
    return await handle.query(RestoreSnapshot.progress)


async def steer(handle: WorkflowHandle[Any, Any], update: str, *value: Any) -> Progress:
    """The answer of `pause`, `resume` or `set_concurrency`, as the command line sends them."""
    return cast(Progress, await handle.execute_update(update, args=value, result_type=Progress))


async def details(handle: WorkflowHandle[Any, Any]) -> str:
    """The current details, as the web UI asks for them."""
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(metadata.current_details)


async def events(handle: WorkflowHandle[Any, Any], kind: str) -> int:
    """How many events of a kind, such as ACTIVITY_TASK_SCHEDULED, a workflow's history has."""
    wanted = EventType.Value(f"EVENT_TYPE_{kind}")
    return sum([event.event_type == wanted async for event in handle.fetch_history_events()])


async def eventually(holds: Callable[[], Awaitable[bool]], what: str) -> None:
    """Return once the condition holds; for what only the server knows."""
    deadline = time.monotonic() + PATIENCE
    while not await holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE:g} s: {what}"
        await asyncio.sleep(0.02)


async def _end_of(handle: WorkflowHandle[Any, Any]) -> BaseException:
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(WorkflowFailureError) as caught:
            await handle.result()
    assert isinstance(caught.value.cause, FailureError)
    return caught.value.cause
