"""A worker in this process, which does something to the world before a restore is verified as a whole."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from restore.progress import RestoreResult
from restore.settings import Settings
from restore.steps import StagedPlan
from stores.clients import Clients
from worker import build_worker
from workflows.plugin import RestorePlugin

Deed = Callable[[set[str]], None]
"""Is told the keys of all that was staged; it may take its time."""


@dataclass
class HeldWorker:
    """Where restores are started; `staged` are the keys that the newest one had put in place."""

    client: Client
    clients: Clients
    queue: str
    staged: set[str]

    async def start(self, **request: Any) -> WorkflowHandle[Any, RestoreResult]:
        """A restore by this worker alone."""
        target = request["target"]
        return await self.client.start_workflow(
            "RestoreSnapshot",
            request,
            id=f"restore/default/{target}",
            task_queue=self.queue,
            result_type=RestoreResult,
        )


class _Hold(Interceptor):
    def __init__(self, worker: HeldWorker, deed: Deed) -> None:
        self._worker, self._deed = worker, deed

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        return _HeldActivity(next, self._worker, self._deed)


class _HeldActivity(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, worker: HeldWorker, deed: Deed) -> None:
        super().__init__(following)
        self._worker, self._deed = worker, deed

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        if activity.info().activity_type == "verify_restore":
            self._worker.staged = _staged(self._worker.clients, input.args[0])
            doing = asyncio.ensure_future(asyncio.to_thread(self._deed, self._worker.staged))
            while not doing.done():
                activity.heartbeat()
                await asyncio.wait([doing], timeout=1)
            doing.result()
        return await super().execute_activity(input)


@asynccontextmanager
async def held_worker(settings: Settings, temporal: str, deed: Deed) -> AsyncIterator[HeldWorker]:
    """A running worker, gone afterwards."""
    client = await Client.connect(temporal, plugins=[RestorePlugin()])
    worker = HeldWorker(client, Clients(settings), f"q-{secrets.token_hex(6)}", set())
    hold = _Hold(worker, deed)
    try:
        async with build_worker(client, worker.clients, worker.queue, hold, search_attributes=False):
            yield worker
    finally:
        worker.clients.close()


def _staged(clients: Clients, staged: StagedPlan) -> set[str]:
    archive = clients.archive(staged.plan.profile)
    plan = archive.plan(staged.plan)
    segments = archive.all_segments(staged.plan)
    return {each.target for segment in segments for each in plan.objects(segment)}
