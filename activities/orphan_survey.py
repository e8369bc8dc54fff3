"""What restores have left behind, as stores and Temporal tell it together."""

import asyncio
from typing import Final

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from formats.model import Model
from restore.orphans import Runs, Standing, Trace, judge
from stores.clients import Clients
from stores.debris import Debris, DebrisSurvey
from stores.traces import Traces

RESTORE: Final = "RestoreSnapshot"
ROLLBACK: Final = "RollbackRestore"


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
    restores, rollbacks = await _listed(client, RESTORE), await _listed(client, ROLLBACK)
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
