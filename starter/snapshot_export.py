"""`milvus-restore snapshot export`: a snapshot with its data, to be restored from where it is put."""

import secrets
from typing import Annotated

import typer
from pydantic import ValidationError

from restore.errors import InvalidRequest
from restore.settings import Settings
from restore.snapshot_export import ExportRequest, ExportResult
from starter import options
from starter.connection import Flags, connect, perform
from starter.errands import Ended, Rows, awaited, report, send
from starter.exit_codes import ExitCode
from workflows.details import size
from workflows.plugin import describe


class SeenExport(ExportResult, extra="ignore"):
    """A result as answered by a worker that may be newer than this command line."""


def export(
    context: typer.Context,
    snapshot: Annotated[
        str,
        typer.Argument(
            help="URI of the metadata JSON, its key in the source store, or [DATABASE/]COLLECTION/NAME."
        ),
    ],
    to: Annotated[str, typer.Argument(metavar="TO", help="s3://BUCKET or s3://BUCKET/PREFIX.")],
    source: Annotated[str, typer.Option(help="Profile where the snapshot lies.")] = "default",
    destination: Annotated[str, typer.Option(help="Profile of the store with that bucket.")] = "default",
    task_queue: Annotated[
        str | None, typer.Option(help="Of the workers; else RESTORE_TASK_QUEUE or the settings file's.")
    ] = None,
    detach: options.Detach = False,
    output: options.Output = "text",
) -> None:
    """Copy a snapshot with all its data to TO/exports/ID, as Milvus exports it, and print the bundle's URI.

    A restore takes that URI. The bundle may be moved as a whole, and no cluster is needed to keep it.
    """
    fields = {"snapshot": snapshot, "to": to, "source": source, "destination": destination}
    perform(_export(options.flags(context), fields, task_queue, detach=detach, as_json=output == "json"))


async def _export(
    flags: Flags, fields: dict[str, str], task_queue: str | None, *, detach: bool, as_json: bool
) -> ExitCode:
    try:
        request = ExportRequest.model_validate(fields)
    except ValidationError as error:
        raise InvalidRequest(describe(error)) from error
    queue = Settings.load(task_queue=task_queue).task_queue
    handle = await send(
        await connect(flags),
        "ExportSnapshot",
        request,
        workflow_id=f"export/{secrets.token_hex(8)}",
        queue=queue,
        result=SeenExport,
        summary=f"Export {request.snapshot} to {request.to}",
    )
    return report(await awaited(handle, Ended[SeenExport], detach=detach), _rows, as_json=as_json)


def _rows(result: SeenExport) -> Rows:
    return [
        ("segments", f"{result.segments:,}"),
        ("rows", f"{result.rows:,}"),
        ("objects", f"{result.objects:,}"),
        ("bytes", f"{result.bytes:,} ({size(result.bytes)})"),
        ("metadata", result.metadata),
    ]
