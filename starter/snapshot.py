"""`milvus-restore snapshot`: commands about snapshots themselves."""

import typer

from starter.sealing import seal
from starter.snapshot_creation import create
from starter.snapshot_listing import describe, list_snapshots

app = typer.Typer(help="Snapshots themselves: taking, listing, describing, sealing.", no_args_is_help=True)

app.command("create")(create)
app.command("list")(list_snapshots)
app.command("describe")(describe)
app.command("seal")(seal)
