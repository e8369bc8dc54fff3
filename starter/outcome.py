"""How a restore ended, for people, for scripts, and as an exit code."""

from typing import Final, Literal

import typer
from temporalio import exceptions
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import (
    ApplicationError,
    CancelledError,
    FailureError,
    TerminatedError,
)

from formats.model import Model
from restore.progress import RestoreResult
from starter.exit_codes import ExitCode
from starter.restores import Handle
from starter.tables import aligned
from workflows.details import duration, size

Status = Literal["running", "completed", "failed", "canceled", "terminated", "timed_out"]


class Failure(Model):
    """Why a restore failed: a failure type of the contract, and one sentence."""

    type: str
    message: str


class Outcome(Model):
    """A restore's end, or that it has begun: `running`. This is what `-o json` prints."""

    workflow_id: str
    run_id: str | None
    web_ui: str | None
    status: Status
    result: RestoreResult | None = None
    failure: Failure | None = None

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of `start`."""
        if self.failure and self.failure.type == "InvalidRequest":
            return ExitCode.WRONG_USAGE
        return _EXIT_CODES.get(self.status, ExitCode.FAILED)


_EXIT_CODES: Final[dict[Status, ExitCode]] = {
    "running": ExitCode.COMPLETED,
    "completed": ExitCode.COMPLETED,
    "canceled": ExitCode.CANCELED,
}


def begun(handle: Handle, web_ui: str | None) -> Outcome:
    """Return that the restore runs."""
    return Outcome(workflow_id=handle.id, run_id=handle.result_run_id, web_ui=web_ui, status="running")


async def ended(handle: Handle, web_ui: str | None) -> Outcome:
    """Wait for the restore's end, over all of its runs, and return it; RPCError when the server is away."""
    status: Status = "completed"
    result, failure = None, None
    try:
        result = await handle.result()
    except WorkflowFailureError as error:
        status, failure = _judge(error.cause)
    return Outcome(
        workflow_id=handle.id,
        run_id=handle.run_id or handle.result_run_id,
        web_ui=web_ui,
        status=status,
        result=result,
        failure=failure,
    )


def _judge(cause: BaseException) -> tuple[Status, Failure | None]:
    message = cause.message if isinstance(cause, FailureError) else str(cause)
    if isinstance(cause, CancelledError):
        return "canceled", None
    if isinstance(cause, TerminatedError):
        left = "it was terminated, so there was no rollback; what it had staged is left"
        return "terminated", Failure(
            type="Terminated", message=left + (f" (reason: {message})" if message else "")
        )
    if isinstance(cause, exceptions.TimeoutError):
        return "timed_out", Failure(
            type="TimedOut", message="a workflow timeout ended it, so there was no rollback"
        )
    kind = cause.type if isinstance(cause, ApplicationError) else None
    return "failed", Failure(type=kind or type(cause).__name__, message=message)


def report(outcome: Outcome, *, as_json: bool) -> None:
    """Print the outcome: JSON and good news to stdout, bad news to stderr."""
    if as_json:
        typer.echo(outcome.model_dump_json(indent=2))
    if not as_json or outcome.failure:
        good = outcome.status in {"running", "completed"}
        typer.echo(as_text(outcome), err=not good)


def as_text(outcome: Outcome) -> str:
    """Say it in a few lines: what happened, the result's figures, where to see more."""
    rows = _figures(outcome.result) if outcome.result else []
    if outcome.web_ui:
        rows.append(("web UI", outcome.web_ui))
    return "\n".join([_title(outcome), aligned(rows)]).rstrip()


def _title(outcome: Outcome) -> str:
    if outcome.status == "canceled":
        return f"{outcome.workflow_id} was cancelled and rolled back"
    reason = f": {outcome.failure.type}: {outcome.failure.message}" if outcome.failure else ""
    return f"{outcome.workflow_id} {outcome.status.replace('_', ' ')}{reason}"


def _figures(result: RestoreResult) -> list[tuple[str, str]]:
    in_place = f", {result.objects_skipped:,} of them found in place" if result.objects_skipped else ""
    speed = f", {size(result.bytes / result.seconds)}/s" if result.seconds else ""
    return [
        ("job", result.job_id),
        ("collection", result.collection_id),
        ("segments", f"{result.segments:,}"),
        ("rows", f"{result.rows:,}"),
        ("objects", f"{result.objects:,}{in_place}"),
        ("bytes", f"{result.bytes:,} ({size(result.bytes)}{speed})"),
        ("duration", duration(result.seconds)),
        ("certificate", result.certificate),
        *(("warning", each) for each in result.warnings),
    ]
