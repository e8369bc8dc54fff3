"""What restores have left behind, as stores and Temporal tell it together, and taking it away."""

import asyncio
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import FailureError
from temporalio.service import RPCError, RPCStatusCode

from formats.model import Model
from restore.errors import ObjectMissing
from restore.orphans import Runs, Standing, Trace, judge
from restore.request import RestoreRequest
from restore.steps import RollbackRequest, RollbackResult
from starter.exit_codes import ExitCode, Stop
from starter.restores import WORKFLOW, SeenResult, has_worker, no_worker
from stores.clients import Clients
from stores.debris import Debris, DebrisSurvey
from stores.traces import Traces
from workflows.control import root_cause

T = TypeVar("T")

ROLLBACK: Final = "RollbackRestore"
_LOOK_SECONDS: Final = 3.0
"""A rollback that lasts longer is looked after: without a worker it would never end."""


class Remains(Model):
    """What one restore has left, where it stands, and what to do; nothing is counted of one that runs."""

    job_id: str
    target: str | None
    collection_id: str | None
    workflow_id: str | None
    rollback_id: str
    standing: Standing
    reason: str
    advice: str
    debris: Debris | None = None


class Removed(Model):
    """What a rollback took away, or what was finished instead, or why neither could be."""

    job_id: str
    result: RollbackResult | None = None
    finished: SeenResult | None = None
    failure: str | None = None


async def survey(client: Client, clients: Clients, profile: str) -> list[Remains]:
    """Return every restore to a profile that has left something, or has it there because it goes on."""
    traces = await asyncio.to_thread(Traces(clients, profile).all)
    runs = await _runs(client, traces)
    found = [_judged(trace, runs) for trace in traces]
    counter = DebrisSurvey(clients, profile)
    return [
        await asyncio.to_thread(_counted, counter, trace, each)
        for trace, each in zip(traces, found, strict=True)
        if each
    ]


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


def _judged(trace: Trace, runs: Runs) -> Remains | None:
    verdict = judge(trace, runs)
    if verdict is None:
        return None
    return Remains(
        job_id=trace.job_id,
        target=trace.target,
        collection_id=None if trace.collection_id is None else str(trace.collection_id),
        workflow_id=trace.workflow_id,
        rollback_id=trace.rollback_id,
        **verdict.model_dump(),
    )


def _counted(counter: DebrisSurvey, trace: Trace, remains: Remains) -> Remains:
    if remains.standing == "running":
        return remains
    return remains.model_copy(update={"debris": counter.count(trace)})


async def _runs(client: Client, traces: list[Trace]) -> Runs:
    """Ask for the owners by name, since a list of workflows may lag behind."""
    restores, rollbacks = await _listed(client, WORKFLOW), await _listed(client, ROLLBACK)
    unfinished = [each for each in traces if each.owner or not (each.certified or each.job == "completed")]
    states = {
        name: await _state(client, name)
        for each in unfinished
        for name in (each.workflow_id, each.rollback_id)
        if name
    }
    running = {*restores, *rollbacks, *(name for name, state in states.items() if state == "running")}
    owners = {each.owner.workflow_id for each in traces if each.owner}
    return Runs(
        running=frozenset(running),
        unknown=frozenset(name for name, state in states.items() if state == "unknown"),
        unreserved=tuple(sorted(restores - owners)),
        where=f"namespace '{client.namespace}' of Temporal at {client.service_client.config.target_host}",
    )


async def _listed(client: Client, kind: str) -> set[str]:
    query = f"WorkflowType = '{kind}' AND ExecutionStatus = 'Running'"
    return {found.id async for found in client.list_workflows(query)}


async def _state(client: Client, workflow_id: str) -> str:
    try:
        found = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return "unknown"
        raise
    return "running" if found.status is WorkflowExecutionStatus.RUNNING else "ended"


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
