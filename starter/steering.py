"""`milvus-restore cancel | pause | resume | set-concurrency`: a running restore steered."""

import asyncio
from typing import Annotated, Final

import typer
from rich.console import Console
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.service import RPCError, RPCStatusCode

from formats.model import Model
from restore.progress import Progress
from starter import options
from starter.connection import Flags, connect, perform
from starter.exit_codes import ExitCode, Stop
from starter.outcome import Outcome, begun, report
from starter.progress_view import sentence, view_for
from starter.restores import SeenProgress, find, handle, has_worker, is_running, no_worker
from starter.watch import Watched, watch
from starter.web_ui import workflow_url

ANSWER_SECONDS: Final = 3.0
"""A worker answers an update within milliseconds; by then it is worth asking whether there is one."""


class Concurrency(Model):
    """The argument of `set_concurrency`."""

    value: int


def cancel(
    context: typer.Context,
    restore: options.Restore,
    database: options.Database = "default",
    reason: Annotated[
        str, typer.Option(help="Kept in the workflow's history.")
    ] = "cancelled on the command line",
    detach: options.Detach = False,
    output: options.Output = "text",
) -> None:
    """Cancel a restore and wait until it is rolled back.

    Exit code 0 when it ended cancelled. Once publishing has begun it is finished all the same: exit code 1.
    """
    perform(
        _cancel(options.flags(context), restore, database, reason, detach=detach, as_json=output == "json")
    )


def pause(
    context: typer.Context,
    restore: options.Restore,
    database: options.Database = "default",
    output: options.Output = "text",
) -> None:
    """Let no copy start beyond those in flight, until `resume`."""
    perform(_update(options.flags(context), restore, database, "pause", None, as_json=output == "json"))


def resume(
    context: typer.Context,
    restore: options.Restore,
    database: options.Database = "default",
    output: options.Output = "text",
) -> None:
    """Let a paused restore go on."""
    perform(_update(options.flags(context), restore, database, "resume", None, as_json=output == "json"))


def set_concurrency(
    context: typer.Context,
    restore: options.Restore,
    value: Annotated[int, typer.Argument(metavar="N", min=1, max=256, help="Copy tasks at once.")],
    database: options.Database = "default",
    output: options.Output = "text",
) -> None:
    """Change how many copy tasks run at once."""
    argument = Concurrency(value=value)
    perform(
        _update(
            options.flags(context), restore, database, "set_concurrency", argument, as_json=output == "json"
        )
    )


async def _cancel(
    flags: Flags, name: str, database: str, reason: str, *, detach: bool, as_json: bool
) -> ExitCode:
    client = await connect(flags)
    found = await find(client, name, database)
    if found.status is WorkflowExecutionStatus.CANCELED:
        typer.echo(f"{found.id} is cancelled and rolled back already", err=True)
        return ExitCode.COMPLETED
    _must_run(found, "cancel")
    restore = Watched(client, handle(client, found.id), found.task_queue, workflow_url(client, found.id))
    await restore.handle.cancel(reason=reason)
    outcome = begun(restore.handle, restore.web_ui) if detach else await _rolled_back(restore)
    report(outcome, as_json=as_json)
    return _verdict(outcome)


async def _rolled_back(restore: Watched) -> Outcome:
    try:
        return await watch(restore, view_for(Console(stderr=True)))
    except asyncio.CancelledError:  # Ctrl-C
        name = restore.handle.id
        raise Stop(ExitCode.DETACHED, f"\nthe rollback goes on; see `milvus-restore status {name}`") from None


def _verdict(outcome: Outcome) -> ExitCode:
    if outcome.status in {"canceled", "running"}:
        return ExitCode.COMPLETED
    if outcome.status == "completed":
        typer.echo("the cancel came too late: publishing had begun, so the restore was finished", err=True)
    return ExitCode.FAILED


async def _update(
    flags: Flags, name: str, database: str, update: str, argument: Model | None, *, as_json: bool
) -> ExitCode:
    client = await connect(flags)
    found = await find(client, name, database)
    _must_run(found, update)
    progress = await _answer(client, found, update, argument)
    typer.echo(progress.model_dump_json(indent=2) if as_json else f"{found.id} {sentence(progress)}")
    return ExitCode.COMPLETED


def _must_run(found: WorkflowExecutionDescription, verb: str) -> None:
    if not is_running(found):
        status = found.status.name.lower().replace("_", " ") if found.status else "gone"
        raise Stop(
            ExitCode.WRONG_USAGE, f"{found.id} is {status} already: there is nothing to {verb.split('_')[0]}"
        )


async def _answer(
    client: Client, found: WorkflowExecutionDescription, update: str, argument: Model | None
) -> Progress:
    """Return what the update answers; Stop when it is refused or when nobody is there to answer."""
    asked = handle(client, found.id).execute_update(
        update, args=[argument] if argument else [], result_type=SeenProgress
    )
    answer = asyncio.ensure_future(asked)
    try:
        while not (await asyncio.wait([answer], timeout=ANSWER_SECONDS))[0]:
            if not await has_worker(client, found.task_queue):
                raise Stop(ExitCode.NO_WORKER, f"{no_worker(found.task_queue)}, so nobody can {update}")
        progress: Progress = answer.result()
        return progress
    except WorkflowUpdateFailedError as error:
        raise _refused(error.cause) from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise Stop(ExitCode.WRONG_USAGE, f"{found.id} has just ended") from error
        raise
    finally:
        answer.cancel()


def _refused(cause: BaseException) -> Stop:
    message = cause.message if isinstance(cause, FailureError) else str(cause)
    kind = (cause.type if isinstance(cause, ApplicationError) else None) or type(cause).__name__
    code = ExitCode.WRONG_USAGE if kind == "InvalidRequest" else ExitCode.FAILED
    return Stop(code, f"{kind}: {message}")
