"""`milvus-restore local`: the servers of a restore on this machine, without containers."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from starter.servers import LocalServerFailed, Temporal
from starter.stack import ServerStatus, Stack

app = typer.Typer(help="Temporal, etcd and an S3 server on this machine.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option(help="Holds data, logs, ports and pids.")]
FOLDER = Path(".local")


@app.command()
def up(folder: Folder = FOLDER) -> None:
    """Start what is not running; print where it is, and the settings as shell lines on standard output."""
    stack = Stack(folder)
    with readable():
        stack.up()
    people = Console(stderr=True)
    people.print(_table(stack.status()))
    people.print(f"web UI: {cast(Temporal, stack.server('temporal')).web_ui}")
    people.print('for the worker and the command line: eval "$(milvus-restore local up)"', soft_wrap=True)
    for name, value in stack.settings().items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@app.command()
def status(folder: Folder = FOLDER) -> None:
    """Print every server with its address and health; exit code 1 when one is down."""
    with readable():
        servers = Stack(folder).status()
    if not servers:
        typer.echo(
            f"no local stack was started in {folder.resolve()}; start one with: milvus-restore local up",
            err=True,
        )
        raise typer.Exit(1)
    Console().print(_table(servers))
    raise typer.Exit(0 if all(server.healthy for server in servers) else 1)


@app.command()
def down(folder: Folder = FOLDER) -> None:
    """End the servers that `up` started; their data stays for the next `up`."""
    with readable():
        Stack(folder).down()
    typer.echo(f"the local stack in {folder.resolve()} is down; its data is kept", err=True)


def _table(servers: list[ServerStatus]) -> Table:
    table = Table("server", "address", "pid", "health")
    for server in servers:
        health = (
            "[green]ok[/]" if server.healthy else "[red]not answering[/]" if server.pid else "[red]down[/]"
        )
        table.add_row(server.name, server.address, str(server.pid or "-"), health)
    return table


@contextmanager
def readable() -> Iterator[None]:
    """Turn a server that failed into its message and exit code 1."""
    try:
        yield
    except LocalServerFailed as failure:
        typer.echo(str(failure), err=True)
        raise typer.Exit(1) from failure
