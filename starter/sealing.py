"""`milvus-restore snapshot seal`: what a snapshot is while it is good, kept beside it."""

from typing import Annotated

import typer

from activities.opening import location_of
from activities.pulse import Pulse
from formats.location import SnapshotLocation
from formats.model import Model
from restore.errors import InvalidRequest
from starter import options
from starter.connection import perform
from starter.count_view import CountView
from starter.exit_codes import ExitCode
from starter.stores_work import in_thread, opened_clients
from starter.tables import aligned
from stores.clients import Clients
from stores.ports import Location
from stores.seal_check import SealCheck, SealDifference
from stores.sealing import SealCount, Sealer
from stores.seals import Seal
from stores.snapshots import OpenSnapshot, open_snapshot
from workflows.details import size


class SealReport(Model):
    """What `-o json` prints; `differences` is empty unless --check found some. Bytes as read."""

    seal: str
    snapshot: str
    sealed_at: str
    checked: bool
    segments: int
    objects: int
    bytes: int
    differences: tuple[SealDifference, ...] = ()

    @property
    def damaged(self) -> bool:
        """True when a sealed object is missing or changed; what came later is no damage."""
        return any(each.verdict != "added" for each in self.differences)


def seal(
    snapshot: Annotated[
        str,
        typer.Argument(
            help="URI of the snapshot's metadata JSON, its key in the source store, "
            "or [DATABASE/]COLLECTION/SNAPSHOT of the source's catalog."
        ),
    ],
    source: Annotated[str, typer.Option(help="Profile where the snapshot lies.")] = "default",
    check: Annotated[
        bool, typer.Option("--check", help="Compare the snapshot with its seal; nothing is written.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Seal anew a snapshot that is sealed already.")
    ] = False,
    output: options.Output = "text",
) -> None:
    """Record size, ETag and SHA-256 of every object of SNAPSHOT, in a file beside its metadata JSON.

    Every object is read once. A restore of a sealed snapshot refuses whatever is not as it was sealed. With
    --check the exit code is 1 when an object is missing or changed.
    """
    perform(_seal(snapshot, source, check=check, replace=replace, as_json=output == "json"))


async def _seal(snapshot: str, source: str, *, check: bool, replace: bool, as_json: bool) -> ExitCode:
    if check and replace:
        raise InvalidRequest("--check writes nothing, so it cannot go with --replace")
    with opened_clients() as clients:

        def work(pulse: Pulse) -> SealReport:
            at = _metadata_of(snapshot, source, clients)
            if check:
                return _checked(at, source, clients, pulse)
            return _sealed(_opened(at, source, clients, replace=replace), source, clients, pulse)

        report = await in_thread(work)
    typer.echo(report.model_dump_json(indent=2) if as_json else _as_text(report))
    return ExitCode.FAILED if report.damaged else ExitCode.COMPLETED


def _metadata_of(snapshot: str, source: str, clients: Clients) -> Location:
    location = SnapshotLocation.parse(location_of(snapshot, source, clients))
    return Location(location.bucket or clients.profile(source).s3.bucket, location.key)


def _opened(at: Location, source: str, clients: Clients, *, replace: bool) -> OpenSnapshot:
    opened = open_snapshot(clients.objects(source), at.bucket, at.key, ignore_seal=replace)
    if opened.seal is not None:
        raise InvalidRequest(
            f"snapshot {opened.source.name!r} was sealed at {opened.seal.header.sealed_at}, in "
            f"{opened.seal.at}; compare it with --check, or seal anew with --replace what is known to be good"
        )
    return opened


def _sealed(opened: OpenSnapshot, source: str, clients: Clients, pulse: Pulse) -> SealReport:
    sealer = Sealer(clients.objects(source), opened, lists=clients.list_threads, reads=clients.copy_threads)
    with CountView("sealing", "segments", len(opened.metadata.manifest_list)) as view:

        def tell(count: SealCount) -> None:
            pulse.check()
            view.show(count.segments, count.bytes)

        header, count = sealer.seal(tell)
    return SealReport(
        seal=str(sealer.at),
        snapshot=header.snapshot,
        sealed_at=header.sealed_at,
        checked=False,
        **count.model_dump(),
    )


def _checked(at: Location, source: str, clients: Clients, pulse: Pulse) -> SealReport:
    objects = clients.objects(source)
    seal = Seal.read(objects, at)
    if seal is None:
        raise InvalidRequest(f"the snapshot {at} has no seal; seal it without --check while it is good")
    check = SealCheck(objects, seal, clients.copy_threads)
    found: list[SealDifference] = []
    with CountView("checking", "segments", seal.header.segments) as view:
        for difference in check.differences():
            pulse.check()
            view.show(check.segments, check.bytes)
            found += [difference] if difference else []
    return SealReport(
        seal=str(seal.at),
        snapshot=seal.header.snapshot,
        sealed_at=seal.header.sealed_at,
        checked=True,
        segments=seal.header.segments,
        objects=check.objects,
        bytes=check.bytes,
        differences=tuple(found),
    )


def _as_text(report: SealReport) -> str:
    verdict = "is sealed"
    if report.checked:
        verdict = "is not as it was sealed" if report.damaged else "is as it was sealed"
    rows = [
        ("seal", report.seal),
        ("sealed at", report.sealed_at),
        ("segments", f"{report.segments:,}"),
        ("objects", f"{report.objects:,}"),
        ("bytes", f"{report.bytes:,} ({size(report.bytes)})"),
    ]
    differences = [(each.verdict, each.key, each.reason) for each in report.differences]
    lines = [f"snapshot {report.snapshot} {verdict}", aligned(rows)]
    return "\n".join([*lines, *([aligned(differences)] if differences else [])])
