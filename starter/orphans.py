"""Taking away what restores have left behind, or finishing it."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError

from activities.orphan_survey import ROLLBACK, Remains, survey
from formats.model import Model
from restore.errors import ObjectMissing
from restore.request import RestoreRequest
from restore.steps import RollbackRequest, RollbackResult
from starter.exit_codes import ExitCode, Stop
from starter.restores import WORKFLOW, SeenResult, has_worker, no_worker
from stores.clients import Clients
from workflows.control import root_cause

__all__ = ["Remains", "Removed", "settle", "survey"]

T = TypeVar("T")

_LOOK_SECONDS: Final = 3.0
"""A rollback that lasts longer is looked after: without a worker it would never end."""


class Removed(Model):
    """What a rollback took away, or what was finished instead, or why neither could be."""

    job_id: str
    result: RollbackResult | None = None
    finished: SeenResult | None = None
    failure: str | None = None


async def settle(
    client: Client, clients: Clients, task_queue: str, profile: str, remains: Iterable[Remains]
) -> list[Removed]:
    """Finish each that was cut off while publishing, roll each other back, and return what came of it.

    One after the other. Raises Stop when no worker is there to do it.
    """
    return [
        await _finished(client, clients, task_queue, profile, each)
        if each.standing == "unfinished"
        else await _rolled_back(client, task_queue, profile, each)
        for each in remains
    ]


async def _rolled_back(client: Client, task_queue: str, profile: str, orphan: Remains) -> Removed:
    handle = await client.start_workflow(
        ROLLBACK,
        RollbackRequest(
            job_id=orphan.job_id, destination=profile, reason=f"removed by doctor: {orphan.reason}"
        ),
        id=orphan.rollback_id,
        task_queue=task_queue,
        result_type=RollbackResult,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"undo restore {orphan.job_id}, which nobody comes back for",
    )
    try:
        return Removed(job_id=orphan.job_id, result=await _result(client, task_queue, handle))
    except WorkflowFailureError as error:
        return Removed(job_id=orphan.job_id, failure=_message(error))


async def _finished(
    client: Client, clients: Clients, task_queue: str, profile: str, unfinished: Remains
) -> Removed:
    """Start the same restore again, by its plan: it finds that only finishing is left to do."""
    request = await asyncio.to_thread(_planned, clients, profile, unfinished.job_id)
    handle = await client.start_workflow(
        WORKFLOW,
        request.model_copy(update={"destination": profile}),
        id=unfinished.workflow_id or f"restore/{unfinished.target}",
        task_queue=task_queue,
        result_type=SeenResult,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"finish restore {unfinished.job_id}, which was cut off while publishing",
    )
    try:
        return Removed(job_id=unfinished.job_id, finished=await _result(client, task_queue, handle))
    except WorkflowFailureError as error:
        return Removed(job_id=unfinished.job_id, failure=_message(error))


def _planned(clients: Clients, profile: str, job_id: str) -> RestoreRequest:
    archive = clients.archive(profile)
    ref = archive.find(int(job_id))
    if ref is None:
        raise ObjectMissing(f"the plan {archive.header_key(job_id)} is gone since it was listed; look again")
    return archive.plan(ref).request


async def _result(client: Client, task_queue: str, handle: WorkflowHandle[Any, T]) -> T:
    result = asyncio.ensure_future(handle.result())
    try:
        while not (await asyncio.wait([result], timeout=_LOOK_SECONDS))[0]:
            if not await has_worker(client, task_queue):
                raise Stop(ExitCode.NO_WORKER, f"the workflow {handle.id} waits: {no_worker(task_queue)}")
        return result.result()
    finally:
        result.cancel()


def _message(error: WorkflowFailureError) -> str:
    cause = root_cause(error.cause)
    return cause.message if isinstance(cause, FailureError) else str(cause)
