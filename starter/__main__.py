"""`milvus-restore`, also `python -m starter`: the commands put together."""

import logging
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from starter import local, snapshot
from starter.connection import Flags
from starter.demo import demo
from starter.doctor import doctor
from starter.exit_codes import EXIT_CODES
from starter.garbage import gc
from starter.listing import list_restores
from starter.start import start
from starter.status import status
from starter.steering import cancel, pause, resume, set_concurrency
from starter.tasks import tasks
from starter.verify import verify

app = typer.Typer(
    name="milvus-restore",
    help="Restores Milvus snapshots: starts, watches and steers restores that Temporal runs.\n\n"
    "Temporal is found by TEMPORAL_ADDRESS and its kin or temporal.toml, as by Temporal's own CLI; its UI by "
    "TEMPORAL_UI_ADDRESS, else by a guess for a server on this machine and for Temporal Cloud.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode="markdown",
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
app.command("tasks", epilog=EXIT_CODES)(tasks)
app.command("cancel")(cancel)
app.command("pause")(pause)
app.command("resume")(resume)
app.command("set-concurrency")(set_concurrency)
app.command("verify")(verify)
app.command("doctor")(doctor)
app.command("gc")(gc)
app.command("demo")(demo)
app.add_typer(snapshot.app, name="snapshot")
app.add_typer(local.app, name="local")


def main() -> NoReturn:
    """Run the command line; the process ends with the command's exit code.

    It ends without tearing the interpreter down: the SDK's Rust threads may still be answering a call that
    nobody waits for any more, and now and then abort the process when Python vanishes below them.
    """
    code = 0
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # the reader of a pipe may have left
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
