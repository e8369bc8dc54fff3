"""`milvus-restore verify`: a restored collection proved again from its certificate."""

import secrets
from typing import Annotated

import typer

from activities.pulse import Pulse
from restore.reproof import Reproof, Sample
from starter import options
from starter.connection import perform
from starter.count_view import CountView
from starter.exit_codes import ExitCode
from starter.stores_work import in_thread, opened_clients
from starter.tables import aligned
from stores.certificates import certificate_at, read_certificate
from stores.clients import Clients
from stores.reproving import Reprover
from workflows.details import size

_SEEDS = 2**32


def verify(
    certificate: Annotated[
        str,
        typer.Argument(
            help="Its URI, as `start` and `status` show it, or its key in the destination's bucket."
        ),
    ],
    destination: Annotated[str, typer.Option(help="Profile that was restored to.")] = "default",
    sample: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Look at a random share of the objects, such as 2%.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Make the choice of an earlier run again, which printed it.")
    ] = None,
    read_data: Annotated[
        bool, typer.Option("--read-data", help="Read the objects too, and compare their contents.")
    ] = False,
    output: options.Output = "text",
) -> None:
    """Prove again that a restored collection is as CERTIFICATE says: objects, records, proofs and plan.

    Contents are compared with the recorded hash, else with the source while it is there, else with the ETag.
    What Milvus has changed since, by compaction for instance, is told and is no damage. Exit code 1 when
    something is damaged.
    """
    number = secrets.randbelow(_SEEDS) if seed is None else seed
    perform(_verify(certificate, destination, sample, number, read_data=read_data, as_json=output == "json"))


async def _verify(
    certificate: str, destination: str, share: str | None, seed: int, *, read_data: bool, as_json: bool
) -> ExitCode:
    sample = Sample.parse(share, seed) if share is not None else None
    with opened_clients() as clients:
        report = await in_thread(
            lambda pulse: _proved(certificate, destination, clients, pulse, sample, read_data=read_data)
        )
    typer.echo(report.model_dump_json(indent=2) if as_json else _as_text(report))
    return ExitCode.FAILED if report.damaged else ExitCode.COMPLETED


def _proved(
    text: str, profile: str, clients: Clients, pulse: Pulse, sample: Sample | None, *, read_data: bool
) -> Reproof:
    at = certificate_at(text, clients.profile(profile).s3.bucket)
    told = read_certificate(clients.objects(profile), at)
    proved = sum(told.proofs.values())
    with CountView("verifying", "objects", len(sample.chosen(proved)) if sample else proved) as view:

        def tell(objects: int, read: int) -> None:
            pulse.check()
            view.show(objects, read)

        return Reprover(clients, profile, at, told).run(sample=sample, read_data=read_data, tell=tell)


def _as_text(report: Reproof) -> str:
    findings = [(each.verdict, each.what, each.name, each.reason) for each in report.findings]
    lines = [f"{report.database}/{report.collection} {_verdict(report)}", aligned(_rows(report))]
    return "\n".join([*lines, *([aligned(findings)] if findings else [])])


def _verdict(report: Reproof) -> str:
    since = f"certified at {report.completed_at}"
    if report.damaged:
        return f"is damaged: {report.damaged:,} findings against what was {since}"
    if report.findings:
        return f"is sound; Milvus has changed it since it was {since}"
    return f"is as it was {since}"


def _rows(report: Reproof) -> list[tuple[str, str]]:
    sample = report.sample
    share = f", {sample.percent:g} % of all by chance, seed {sample.seed}" if sample else ""
    rows = [
        ("certificate", report.certificate),
        ("job", report.job_id),
        ("collection", report.collection_id),
        ("objects", f"{report.objects:,}{share}"),
        ("records", f"{report.records:,}"),
    ]
    if report.contents:
        how = ", ".join(f"{count:,} by {_BY[means]}" for means, count in sorted(report.contents.items()))
        rows.append(("read", f"{size(report.bytes_read)}: {how}"))
    return rows


_BY = {
    "sha256": "recorded hash",
    "source": "their source",
    "etag": "ETag",
    "nothing": "nothing (no hash, no source, an ETag of parts)",
}
