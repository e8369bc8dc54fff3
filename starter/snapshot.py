"""`milvus-restore snapshot`: commands about snapshots themselves."""

import typer

from starter.sealing import seal
from starter.snapshot_creation import create
from starter.snapshot_drop import drop
from starter.snapshot_export import export
from starter.snapshot_listing import describe, list_snapshots
from starter.snapshot_pinning import pin, unpin

app = typer.Typer(
    help="Snapshots themselves: taking, listing, describing, pinning, exporting, dropping, sealing.",
    no_args_is_help=True,
)

app.command("create")(create)
app.command("list")(list_snapshots)
app.command("describe")(describe)
app.command("pin")(pin)
app.command("unpin")(unpin)
app.command("drop")(drop)
app.command("export")(export)
app.command("seal")(seal)
