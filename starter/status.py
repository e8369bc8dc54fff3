"""`milvus-restore status`: one restore as it is now."""

import typer
from temporalio.client import Client, WorkflowExecutionDescription

from restore.progress import Progress
from starter import options
from starter.connection import Flags, connect, perform
from starter.exit_codes import ExitCode
from starter.outcome import Outcome, as_text, begun, ended
from starter.progress_view import sentence
from starter.restores import find, handle, has_worker, is_running, no_worker
from starter.watch import look
from starter.web_ui import workflow_url


class Report(Outcome):
    """An outcome with the last progress; null when no worker is there to answer."""

    task_queue: str
    progress: Progress | None


def status(
    context: typer.Context,
    restore: options.AnyRestore = None,
    database: options.Database = "default",
    output: options.Output = "text",
) -> None:
    """Show how far a restore is, or how it ended and why. Exit code 0 whenever it can be shown."""
    perform(_status(options.flags(context), restore, database, as_json=output == "json"))


async def _status(flags: Flags, name: str | None, database: str, *, as_json: bool) -> ExitCode:
    client = await connect(flags)
    found = await find(client, name, database)
    report = await _report(client, found)
    typer.echo(report.model_dump_json(indent=2) if as_json else _as_text(report))
    if report.status == "running" and not report.progress and not await has_worker(client, found.task_queue):
        typer.echo(f"waiting: {no_worker(found.task_queue)}", err=True)
    return ExitCode.COMPLETED


async def _report(client: Client, found: WorkflowExecutionDescription) -> Report:
    of_run = handle(client, found.id, found.run_id)
    web_ui = workflow_url(client, found.id)
    outcome = begun(of_run, web_ui) if is_running(found) else await ended(of_run, web_ui)
    known = outcome.model_dump() | {"run_id": found.run_id}
    return Report(**known, task_queue=found.task_queue, progress=await look(of_run))


def _as_text(report: Report) -> str:
    progress = [f"  {sentence(report.progress)}"] if report.progress else []
    title, *rest = as_text(report).splitlines()
    return "\n".join([title, *progress, *rest])
