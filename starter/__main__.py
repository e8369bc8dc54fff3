"""`milvus-restore`, also `python -m starter`: the commands put together."""

from typing import Annotated

import typer

from starter import local
from starter.connection import Flags
from starter.exit_codes import EXIT_CODES
from starter.listing import list_restores
from starter.start import start
from starter.status import status
from starter.steering import cancel, pause, resume, set_concurrency

app = typer.Typer(
    name="milvus-restore",
    help="Restores Milvus snapshots: starts, watches and steers restores that Temporal runs.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # a traceback must not print settings
)


@app.callback()
def connection(
    context: typer.Context,
    address: Annotated[
        str | None, typer.Option(help="Temporal's host:port; else TEMPORAL_ADDRESS or temporal.toml.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(help="Temporal's namespace; else TEMPORAL_NAMESPACE or temporal.toml.")
    ] = None,
) -> None:
    """Keep what holds for every command."""
    context.obj = Flags(address=address, namespace=namespace)


app.command("start", epilog=EXIT_CODES)(start)
app.command("status")(status)
app.command("list")(list_restores)
app.command("cancel")(cancel)
app.command("pause")(pause)
app.command("resume")(resume)
app.command("set-concurrency")(set_concurrency)
app.add_typer(local.app, name="local")


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    app()


if __name__ == "__main__":
    main()
