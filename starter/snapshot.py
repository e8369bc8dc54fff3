"""`milvus-restore snapshot`: commands about snapshots themselves."""

import typer

from starter.sealing import seal

app = typer.Typer(help="Snapshots themselves: sealing.", no_args_is_help=True)


@app.callback()
def snapshots() -> None:
    """Have every command called by its name, also while there is only one."""


app.command("seal")(seal)
