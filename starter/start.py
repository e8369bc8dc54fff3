"""`milvus-restore start`: a restore begun, watched and reported."""

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Final

import typer
from pydantic import ValidationError
from rich.console import Console
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from restore.errors import InvalidRequest, TargetBusy
from restore.request import OnFailure, RestoreRequest, Verify
from restore.settings import Settings
from starter import options
from starter.connection import Flags, connect, perform
from starter.exit_codes import ExitCode, Stop
from starter.outcome import Outcome, begun, report
from starter.progress_view import view_for
from starter.restores import WORKFLOW, Handle, SeenResult, has_worker, no_worker, workflow_id
from starter.watch import Watched, watch
from starter.web_ui import workflow_url
from workflows.plugin import describe
from workflows.search_attributes import SNAPSHOT_NAME, TARGET

ARRIVAL_SECONDS: Final = 2.0
"""A worker that is started together with a restore polls by then."""

_DEFAULTS: Final = RestoreRequest(snapshot="-", target="-")


def start(
    context: typer.Context,
    snapshot: Annotated[
        str,
        typer.Argument(
            help="URI of the snapshot's metadata JSON, its key in the source store, "
            "or [DATABASE/]COLLECTION/SNAPSHOT of the source's catalog."
        ),
    ],
    target: Annotated[str, typer.Argument(help="Collection to restore into; it must be empty.")],
    database: options.Database = _DEFAULTS.database,
    source: Annotated[str, typer.Option(help="Profile where the snapshot lies.")] = _DEFAULTS.source,
    destination: Annotated[str, typer.Option(help="Profile to restore to.")] = _DEFAULTS.destination,
    partition: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Restore only this partition; may be repeated.")
    ] = None,
    concurrency: Annotated[int, typer.Option(help="Copy tasks at once, 1 to 256.")] = _DEFAULTS.concurrency,
    verify: Annotated[
        Verify, typer.Option(help="How objects are proved; full reads and hashes them.")
    ] = _DEFAULTS.verify,
    on_failure: Annotated[
        OnFailure, typer.Option(help="keep leaves staged data for a later run with the same target.")
    ] = _DEFAULTS.on_failure,
    rewrite_descriptors: Annotated[
        bool,
        typer.Option(
            "--rewrite-descriptors",
            help="Give insert and delta logs the target's ids, for clusters older than Milvus 2.4.",
        ),
    ] = _DEFAULTS.rewrite_descriptors,
    task_queue: Annotated[
        str | None, typer.Option(help="Of the workers; else RESTORE_TASK_QUEUE or the settings file's.")
    ] = None,
    detach: options.Detach = False,
    output: options.Output = "text",
) -> None:
    """Restore SNAPSHOT into the collection TARGET, and wait for the end.

    Ctrl-C only stops waiting: the restore goes on until `milvus-restore cancel` ends it.
    """
    fields = {
        "snapshot": snapshot,
        "target": target,
        "database": database,
        "source": source,
        "destination": destination,
        "partitions": partition or None,
        "concurrency": concurrency,
        "verify": verify,
        "on_failure": on_failure,
        "rewrite_descriptors": rewrite_descriptors,
    }
    perform(_start(options.flags(context), fields, task_queue, detach=detach, as_json=output == "json"))


async def _start(
    flags: Flags, fields: Mapping[str, object], task_queue: str | None, *, detach: bool, as_json: bool
) -> ExitCode:
    request = _requested(fields)
    queue = Settings.load(task_queue=task_queue).task_queue
    client = await connect(flags)
    handle = await _begin(client, request, queue)
    restore = Watched(client, handle, queue, workflow_url(client, handle.id))
    outcome = begun(handle, restore.web_ui) if detach else await _awaited(restore)
    report(outcome, as_json=as_json)
    if detach and not await _worker_comes(client, queue):
        raise Stop(ExitCode.NO_WORKER, f"the restore waits: {no_worker(queue)}")
    return outcome.exit_code


def _requested(fields: Mapping[str, object]) -> RestoreRequest:
    try:
        return RestoreRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidRequest(describe(error)) from error


async def _begin(client: Client, request: RestoreRequest, queue: str) -> Handle:
    """Start the workflow; TargetBusy when one runs already.

    A finished one is no obstacle here: the restore itself finds what it left in the target.
    """
    try:
        return await client.start_workflow(
            WORKFLOW,
            request,
            id=workflow_id(request.database, request.target),
            task_queue=queue,
            result_type=SeenResult,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            search_attributes=await _findable_by(client, request),
            static_summary=_summary(request),
            static_details=_details(request),
        )
    except WorkflowAlreadyStartedError as error:
        raise TargetBusy(
            f"a restore into '{request.database}/{request.target}' is running already, "
            f"workflow {error.workflow_id}; watch it with `milvus-restore status {error.workflow_id}`, "
            f"end it with `milvus-restore cancel {error.workflow_id}`"
        ) from error


async def _findable_by(client: Client, request: RestoreRequest) -> TypedSearchAttributes:
    """Return target and snapshot where the server knows the attributes; else it would refuse the start."""
    try:
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError:  # Temporal Cloud and strict servers show them to nobody: the workers set them later
        return TypedSearchAttributes([])
    pairs = [
        SearchAttributePair(TARGET, request.target),
        SearchAttributePair(SNAPSHOT_NAME, request.snapshot),
    ]
    return TypedSearchAttributes([pair for pair in pairs if pair.key.name in known.custom_attributes])


def _summary(request: RestoreRequest) -> str:
    """Return the workflow's title, shorter than the 400 bytes that the server allows."""
    text = f"Restore {request.snapshot} into {request.database}/{request.target}"
    return text.encode()[:390].decode(errors="ignore")


def _details(request: RestoreRequest) -> str:
    """Return the request as a Markdown table, shorter than the 20 kB that the server allows."""
    rows = (
        f"| {name} | `{value}` |"
        for name, value in request.model_dump(mode="json").items()
        if value is not None
    )
    return "\n".join(["| asked for | |", "|---|---|", *rows]).encode()[:19_000].decode(errors="ignore")


async def _worker_comes(client: Client, queue: str) -> bool:
    """Tell whether a worker is there, or is just starting."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while not await has_worker(client, queue):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True


async def _awaited(restore: Watched) -> Outcome:
    try:
        return await watch(restore, view_for(Console(stderr=True)))
    except asyncio.CancelledError:  # Ctrl-C
        raise Stop(ExitCode.DETACHED, f"\n{goes_on(restore.handle.id)}") from None


def goes_on(restore_id: str) -> str:
    """Say that leaving ends nothing, and how to come back or really end it."""
    return (
        f"the restore goes on as {restore_id}; watch it with `milvus-restore status {restore_id}`, "
        f"end it with `milvus-restore cancel {restore_id}`"
    )
