"""Workflows that the command line starts and waits for, beside restores: begun, awaited, reported."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import typer
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, CancelledError, FailureError

from formats.model import Model
from starter.exit_codes import ExitCode, Stop
from starter.outcome import Failure, Status
from starter.restores import has_worker, no_worker
from starter.tables import aligned

ARRIVAL_SECONDS: Final = 2.0
"""A worker that is started together with an errand polls by then."""

R = TypeVar("R", bound=Model)
Rows = Sequence[tuple[str, str]]


class Ended(Model, Generic[R]):
    """How an errand ended, or that it has begun. This is what `-o json` prints."""

    workflow_id: str
    status: Status
    result: R | None = None
    failure: Failure | None = None


async def send(
    client: Client,
    workflow: str,
    request: Model,
    *,
    workflow_id: str,
    queue: str,
    result: type[R],
    summary: str,
) -> "WorkflowHandle[Any, R]":
    """Start the workflow, or join the one of this id that runs; Stop when no worker is there to do it."""
    handle: WorkflowHandle[Any, R] = await client.start_workflow(
        workflow,
        request,
        id=workflow_id,
        task_queue=queue,
        result_type=result,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=summary[:190],
    )
    await _require_worker(client, handle.id, queue)
    return handle


async def awaited(
    handle: "WorkflowHandle[Any, R]", kind: type[Ended[R]], *, detach: bool = False
) -> Ended[R]:
    """Return how it ended; at once with `detach`. Ctrl-C only stops waiting."""
    if detach:
        return kind(workflow_id=handle.id, status="running")
    try:
        return kind(workflow_id=handle.id, status="completed", result=await handle.result())
    except WorkflowFailureError as error:
        return _failed(handle.id, error.cause, kind)
    except asyncio.CancelledError:  # Ctrl-C
        raise Stop(ExitCode.DETACHED, f"\n{handle.id} goes on") from None


def report(ended: Ended[R], rows: Callable[[R], Rows], *, as_json: bool) -> ExitCode:
    """Print how it ended, and return the exit code that says so."""
    if as_json:
        typer.echo(ended.model_dump_json(indent=2))
    if not as_json or ended.failure:
        typer.echo(_as_text(ended, rows), err=ended.status not in ("running", "completed"))
    if ended.failure:
        return ExitCode.WRONG_USAGE if ended.failure.type == "InvalidRequest" else ExitCode.FAILED
    return ExitCode.CANCELED if ended.status == "canceled" else ExitCode.COMPLETED


async def _require_worker(client: Client, workflow_id: str, queue: str) -> None:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while not await has_worker(client, queue):
        if time.monotonic() > deadline:
            raise Stop(ExitCode.NO_WORKER, f"{workflow_id} waits: {no_worker(queue)}")
        await asyncio.sleep(0.1)


def _failed(workflow_id: str, cause: BaseException, kind: type[Ended[R]]) -> Ended[R]:
    if isinstance(cause, CancelledError):
        return kind(workflow_id=workflow_id, status="canceled")
    name = cause.type if isinstance(cause, ApplicationError) else None
    message = cause.message if isinstance(cause, FailureError) else str(cause)
    failure = Failure(type=name or type(cause).__name__, message=message)
    return kind(workflow_id=workflow_id, status="failed", failure=failure)


def _as_text(ended: Ended[R], rows: Callable[[R], Rows]) -> str:
    if ended.status == "canceled":
        return f"{ended.workflow_id} was cancelled"
    if ended.failure:
        return f"{ended.workflow_id} failed: {ended.failure.type}: {ended.failure.message}"
    if ended.result is None:
        return f"{ended.workflow_id} {ended.status}"
    return "\n".join([f"{ended.workflow_id} {ended.status}", aligned(list(rows(ended.result)))])
