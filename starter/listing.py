"""`milvus-restore list`: the restores that Temporal remembers."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import WorkflowExecution

from formats.model import Model
from starter import options
from starter.connection import Flags, connect, perform
from starter.exit_codes import ExitCode
from starter.restores import WORKFLOW
from starter.tables import aligned
from workflows.search_attributes import PERCENT, PHASE, SNAPSHOT_NAME, TARGET


class Row(Model):
    """A restore in the list; where the server lacks the search attributes, phase and percent are unknown."""

    workflow_id: str
    run_id: str
    target: str | None
    snapshot: str | None
    phase: str | None
    percent: int | None
    started: datetime
    status: str


def list_restores(
    context: typer.Context,
    running: Annotated[bool, typer.Option("--running", help="Only those that run.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    output: options.Output = "text",
) -> None:
    """List restores, running ones first, then the latest ended."""
    perform(_list(options.flags(context), running=running, limit=limit, as_json=output == "json"))


async def _list(flags: Flags, *, running: bool, limit: int, as_json: bool) -> ExitCode:
    client = await connect(flags)
    # An earlier run of a restore that went on in a new one is not another restore.
    which = "ExecutionStatus = 'Running'" if running else "ExecutionStatus != 'ContinuedAsNew'"
    query = f"WorkflowType = '{WORKFLOW}' AND {which}"
    rows = [_row(found) async for found in client.list_workflows(query, limit=limit)]
    if as_json:
        typer.echo(json.dumps([row.model_dump(mode="json") for row in rows], indent=2))
    elif rows:
        typer.echo(_table(rows))
    else:
        typer.echo(
            f"no restore {'is running' if running else 'is known'} in namespace '{client.namespace}'",
            err=True,
        )
    return ExitCode.COMPLETED


def _row(found: WorkflowExecution) -> Row:
    attributes = found.typed_search_attributes
    return Row(
        workflow_id=found.id,
        run_id=found.run_id,
        target=attributes.get(TARGET) or _target_of(found.id),
        snapshot=attributes.get(SNAPSHOT_NAME),
        phase=attributes.get(PHASE),
        percent=attributes.get(PERCENT),
        started=found.start_time,
        status=found.status.name.lower() if found.status else "unknown",
    )


def _target_of(workflow_id: str) -> str | None:
    parts = workflow_id.split("/")
    return parts[2] if parts[0] == "restore" and len(parts) == 3 else None


def _table(rows: list[Row]) -> str:
    head = ("id", "target", "snapshot", "phase", "percent", "started (UTC)", "status")
    lines = [
        (
            row.workflow_id,
            row.target or "-",
            row.snapshot or "-",
            row.phase or "-",
            "-" if row.percent is None else f"{row.percent} %",
            f"{row.started.astimezone(UTC):%Y-%m-%d %H:%M:%S}",
            row.status.replace("_", " "),
        )
        for row in rows
    ]
    return aligned([head, *lines], indent="")
