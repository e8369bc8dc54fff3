"""Arguments and options that several commands share."""

from typing import Annotated, Literal

import typer

from starter.connection import Flags

Output = Annotated[
    Literal["text", "json"], typer.Option("--output", "-o", help="Text for people, JSON for scripts.")
]
Database = Annotated[str, typer.Option(help="Database of TARGET.")]
Restore = Annotated[
    str,
    typer.Argument(metavar="TARGET|WORKFLOW_ID", help="The collection restored into, or the workflow's id."),
]
AnyRestore = Annotated[
    str | None,
    typer.Argument(
        metavar="[TARGET|WORKFLOW_ID]",
        help="The collection restored into, or the workflow's id; "
        "without it the latest restore, running ones first.",
    ),
]
Detach = Annotated[bool, typer.Option("--detach", help="Return at once instead of waiting for the end.")]


def flags(context: typer.Context) -> Flags:
    """Return what was said before the command's name."""
    return context.obj if isinstance(context.obj, Flags) else Flags()
