"""`milvus-restore snapshot pin` and `unpin`: a snapshot held against being dropped, and let go."""

import re
import secrets
from datetime import UTC, datetime
from typing import Annotated, Final

import typer

from activities.pulse import Pulse
from formats.model import Model
from formats.pins import LONGEST_SECONDS
from formats.proto.data_pb2 import SnapshotStateCommitted
from restore.errors import InvalidRequest, SnapshotNotFound
from starter import options
from starter.connection import perform
from starter.exit_codes import ExitCode
from starter.stores_work import in_thread, opened_clients
from stores.clients import Clients
from stores.snapshot_catalog import SnapshotCatalog, SnapshotName
from stores.snapshot_pins import SnapshotPins, now_ms
from stores.snapshot_records import SnapshotRecords

_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}

Snapshot = Annotated[
    str, typer.Argument(metavar="SNAPSHOT", help="[DATABASE/]COLLECTION/NAME; in place of COLLECTION its id.")
]
Source = Annotated[str, typer.Option(help="Profile of the cluster.")]


class PinReport(Model):
    """What `-o json` prints; ids are text. `expires_at` is ISO 8601, UTC, None without an end."""

    snapshot: str
    pin_id: str
    expires_at: str | None = None
    there: bool = True


def pin(
    snapshot: Snapshot,
    ttl: Annotated[
        str, typer.Option(help="How long: 90s, 30m, 12h, 7d; at most 30d. 0 holds it until it is unpinned.")
    ] = "1d",
    source: Source = "default",
    output: options.Output = "text",
) -> None:
    """Hold a snapshot against being dropped, for a time, and print the pin's id."""
    perform(_pin(snapshot, ttl, source, as_json=output == "json"))


def unpin(
    snapshot: Snapshot,
    pin_id: Annotated[int, typer.Argument(metavar="PIN", min=1, help="As `pin` or `describe` tells it.")],
    source: Source = "default",
    output: options.Output = "text",
) -> None:
    """Let a snapshot go. A pin that is not there is no error."""
    perform(_unpin(snapshot, pin_id, source, as_json=output == "json"))


async def _pin(snapshot: str, ttl: str, source: str, *, as_json: bool) -> ExitCode:
    seconds, number = seconds_of(ttl), secrets.randbits(62) + 1
    end = now_ms() + seconds * 1000 if seconds else 0
    with opened_clients() as clients:

        def work(_: Pulse) -> None:
            records = _records(clients, source)
            SnapshotPins(records).hold(_key(clients, source, snapshot), number, end)

        await in_thread(work)
    until = datetime.fromtimestamp(end / 1000, UTC).isoformat(timespec="seconds") if end else None
    told = PinReport(snapshot=snapshot, pin_id=str(number), expires_at=until)
    text = f"{snapshot} is held by pin {number} {f'until {until}' if until else 'until it is unpinned'}"
    typer.echo(told.model_dump_json(indent=2) if as_json else text)
    return ExitCode.COMPLETED


async def _unpin(snapshot: str, number: int, source: str, *, as_json: bool) -> ExitCode:
    with opened_clients() as clients:

        def work(_: Pulse) -> bool:
            pins = SnapshotPins(_records(clients, source))
            return pins.release(_key(clients, source, snapshot), number)

        there = await in_thread(work)
    told = PinReport(snapshot=snapshot, pin_id=str(number), there=there)
    text = f"{snapshot} {'is held by pin' if there else 'had no pin'} {number}{' no more' if there else ''}"
    typer.echo(told.model_dump_json(indent=2) if as_json else text)
    return ExitCode.COMPLETED


def seconds_of(ttl: str) -> int:
    """Return a time to live in seconds, 0 for one without an end; InvalidRequest when it is none."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", ttl)
    seconds = int(match[1]) * _UNITS[match[2]] if match else -1
    if not 0 <= seconds <= LONGEST_SECONDS:
        raise InvalidRequest(
            f"--ttl: expected 0, or a time such as 90s, 30m, 12h or 7d, at most 30d; found {ttl!r}"
        )
    return seconds


def _key(clients: Clients, source: str, snapshot: str) -> str:
    """The record of the committed snapshot of this name."""
    wanted = SnapshotName.parse(snapshot)
    if wanted is None:
        raise InvalidRequest(
            f"a pin is of the catalog: expected [database/]collection/name, found {snapshot!r}"
        )
    bucket = clients.profile(source).s3.bucket
    catalog = SnapshotCatalog(clients.metadata(source), clients.keys(source), clients.objects(source), bucket)
    found = [each for each in catalog.records(wanted) if each.info.state == SnapshotStateCommitted]
    if len(found) != 1:
        kind = InvalidRequest if found else SnapshotNotFound
        raise kind(
            f"{len(found)} committed snapshots are called {wanted}; expected one: see "
            "`milvus-restore snapshot list`, and say the collection's id in place of its name"
        )
    return found[0].key


def _records(clients: Clients, source: str) -> SnapshotRecords:
    return SnapshotRecords(clients.metadata(source), clients.keys(source))
