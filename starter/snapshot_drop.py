"""`milvus-restore snapshot drop`: a snapshot's files and record removed; its data is Milvus's to collect."""

from typing import Annotated

import typer
from pydantic import ValidationError

from restore.errors import InvalidRequest
from restore.settings import Settings
from restore.snapshot_drop import DropRequest, DropResult
from starter import options
from starter.connection import Flags, connect, perform
from starter.errands import Ended, Rows, awaited, report, send
from starter.exit_codes import ExitCode
from workflows.plugin import describe


class SeenDrop(DropResult, extra="ignore"):
    """A result as answered by a worker that may be newer than this command line."""


def drop(
    context: typer.Context,
    collection: Annotated[
        str,
        typer.Argument(
            metavar="[DATABASE/]COLLECTION", help="Whose snapshot it is; of a dropped collection also its id."
        ),
    ],
    name: Annotated[str, typer.Argument(help="Name of the snapshot.")],
    database: Annotated[str, typer.Option(help="Database of COLLECTION.")] = "default",
    source: Annotated[str, typer.Option(help="Profile of the cluster.")] = "default",
    task_queue: Annotated[
        str | None, typer.Option(help="Of the workers; else RESTORE_TASK_QUEUE or the settings file's.")
    ] = None,
    output: options.Output = "text",
) -> None:
    """Drop a snapshot: its record and its own files. What it names stays, for Milvus to collect.

    Refused while a pin holds it, as every restore of it does. One that is not there is no error.
    """
    fields = {"collection": collection, "name": name, "database": database, "source": source}
    perform(_drop(options.flags(context), fields, task_queue, as_json=output == "json"))


async def _drop(flags: Flags, fields: dict[str, str], task_queue: str | None, *, as_json: bool) -> ExitCode:
    try:
        request = DropRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidRequest(describe(error)) from error
    queue = Settings.load(task_queue=task_queue).task_queue
    handle = await send(
        await connect(flags),
        "DropSnapshot",
        request,
        workflow_id=f"snapshot/{request.full_name}/drop",
        queue=queue,
        result=SeenDrop,
        summary=f"Drop snapshot {request.full_name}",
    )
    return report(await awaited(handle, Ended[SeenDrop]), _rows, as_json=as_json)


def _rows(result: SeenDrop) -> Rows:
    if not result.dropped:
        return [("snapshot", "there was none of this name")]
    return [("snapshot", result.snapshot_id or ""), ("files", f"{result.files:,} removed")]
