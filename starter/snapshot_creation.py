"""`milvus-restore snapshot create`: a snapshot begun, awaited and reported."""

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, CancelledError, FailureError, WorkflowAlreadyStartedError

from formats.model import Model
from restore.errors import InvalidRequest, SnapshotExists
from restore.settings import Settings
from restore.snapshot_request import SnapshotRequest, SnapshotResult
from starter import options
from starter.connection import Flags, connect, perform
from starter.exit_codes import ExitCode, Stop
from starter.outcome import Failure, Status
from starter.restores import has_worker, no_worker
from starter.tables import aligned
from workflows.details import size
from workflows.plugin import describe

WORKFLOW: Final = "CreateSnapshot"

ARRIVAL_SECONDS: Final = 2.0
"""A worker that is started together with a snapshot polls by then."""

_UNPROTECTED: Final = (
    "warning: Milvus does not know this snapshot and keeps nothing for it: it lasts as long as its segments, "
    "which compaction replaces and a drop of the collection removes; restore or copy it before that"
)

_DEFAULTS: Final = SnapshotRequest(collection="-", name="_")


class SeenSnapshot(SnapshotResult, extra="ignore"):
    """A result as answered by a worker that may be newer than this command line."""


class SnapshotOutcome(Model):
    """How the making of a snapshot ended, or that it has begun. This is what `-o json` prints."""

    workflow_id: str
    status: Status
    result: SnapshotResult | None = None
    failure: Failure | None = None


Handle = WorkflowHandle[object, SeenSnapshot]


def create(
    context: typer.Context,
    collection: Annotated[
        str, typer.Argument(metavar="[DATABASE/]COLLECTION", help="Collection to take a snapshot of.")
    ],
    name: Annotated[str, typer.Argument(help="Name of the snapshot, new in its collection.")],
    flush: Annotated[
        bool, typer.Option("--flush", help="Have Milvus write what it has in memory first.")
    ] = _DEFAULTS.flush,
    description: Annotated[str, typer.Option(help="Kept with the snapshot.")] = _DEFAULTS.description,
    database: Annotated[str, typer.Option(help="Database of COLLECTION.")] = _DEFAULTS.database,
    source: Annotated[str, typer.Option(help="Profile of the cluster.")] = _DEFAULTS.source,
    task_queue: Annotated[
        str | None, typer.Option(help="Of the workers; else RESTORE_TASK_QUEUE or the settings file's.")
    ] = None,
    detach: options.Detach = False,
    output: options.Output = "text",
) -> None:
    """Take a snapshot of a collection, in Milvus's own format, and wait for the end.

    Rows that are still in Milvus's memory are not in it, unless --flush is given. Ctrl-C only stops waiting.
    """
    fields = {
        "collection": collection,
        "name": name,
        "flush": flush,
        "description": description,
        "database": database,
        "source": source,
    }
    perform(_create(options.flags(context), fields, task_queue, detach=detach, as_json=output == "json"))


async def _create(
    flags: Flags, fields: Mapping[str, object], task_queue: str | None, *, detach: bool, as_json: bool
) -> ExitCode:
    request = _requested(fields)
    queue = Settings.load(task_queue=task_queue).task_queue
    client = await connect(flags)
    handle = await _begin(client, request, queue)
    await _require_worker(client, handle, queue)
    if detach:
        outcome = SnapshotOutcome(workflow_id=handle.id, status="running")
    else:
        outcome = await _awaited(handle)
    _report(outcome, as_json=as_json)
    return _exit_code(outcome)


def _requested(fields: Mapping[str, object]) -> SnapshotRequest:
    try:
        return SnapshotRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidRequest(describe(error)) from error


async def _begin(client: Client, request: SnapshotRequest, queue: str) -> Handle:
    """Start the workflow; SnapshotExists when one of this name is being made."""
    try:
        return await client.start_workflow(
            WORKFLOW,
            request,
            id=f"snapshot/{request.full_name}",
            task_queue=queue,
            result_type=SeenSnapshot,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"Snapshot {request.full_name}"[:190],
        )
    except WorkflowAlreadyStartedError as error:
        raise SnapshotExists(
            f"the snapshot {request.full_name} is being made already, by workflow {error.workflow_id}"
        ) from error


async def _require_worker(client: Client, handle: Handle, queue: str) -> None:
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while not await has_worker(client, queue):
        if time.monotonic() > deadline:
            raise Stop(ExitCode.NO_WORKER, f"the snapshot waits as {handle.id}: {no_worker(queue)}")
        await asyncio.sleep(0.1)


async def _awaited(handle: Handle) -> SnapshotOutcome:
    try:
        result = await handle.result()
    except WorkflowFailureError as error:
        return _failed(handle.id, error.cause)
    except asyncio.CancelledError:  # Ctrl-C
        raise Stop(ExitCode.DETACHED, f"\nthe snapshot goes on being made as {handle.id}") from None
    return SnapshotOutcome(workflow_id=handle.id, status="completed", result=result)


def _failed(workflow_id: str, cause: BaseException) -> SnapshotOutcome:
    if isinstance(cause, CancelledError):
        return SnapshotOutcome(workflow_id=workflow_id, status="canceled")
    kind = cause.type if isinstance(cause, ApplicationError) else None
    message = cause.message if isinstance(cause, FailureError) else str(cause)
    failure = Failure(type=kind or type(cause).__name__, message=message)
    return SnapshotOutcome(workflow_id=workflow_id, status="failed", failure=failure)


def _report(outcome: SnapshotOutcome, *, as_json: bool) -> None:
    if as_json:
        typer.echo(outcome.model_dump_json(indent=2))
    if outcome.result and outcome.result.recorded == "milvus-restore":
        typer.echo(_UNPROTECTED, err=True)
    if not as_json or outcome.failure:
        typer.echo(_as_text(outcome), err=outcome.status not in ("running", "completed"))


def _as_text(outcome: SnapshotOutcome) -> str:
    if outcome.status == "canceled":
        return f"{outcome.workflow_id} was cancelled, and nothing of it is left"
    if outcome.failure:
        return f"{outcome.workflow_id} failed: {outcome.failure.type}: {outcome.failure.message}"
    result = outcome.result
    if result is None:
        return f"{outcome.workflow_id} {outcome.status}"
    rows = [
        ("snapshot", result.snapshot_id),
        ("collection", result.collection_id),
        ("segments", f"{result.segments:,}"),
        ("rows", f"{result.rows:,}"),
        ("objects", f"{result.objects:,}"),
        ("bytes", f"{result.bytes:,} ({size(result.bytes)})"),
        ("metadata", result.metadata),
        ("recorded by", result.recorded or "-"),
    ]
    return "\n".join([f"{outcome.workflow_id} {outcome.status}", aligned(rows)])


def _exit_code(outcome: SnapshotOutcome) -> ExitCode:
    if outcome.failure:
        wrong = outcome.failure.type == "InvalidRequest"
        return ExitCode.WRONG_USAGE if wrong else ExitCode.FAILED
    return ExitCode.CANCELED if outcome.status == "canceled" else ExitCode.COMPLETED
