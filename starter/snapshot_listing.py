"""`milvus-restore snapshot list` and `describe`: what there is, and what is in it."""

import json
from collections.abc import Iterable
from typing import Annotated, Literal

import typer

from activities.pulse import Pulse
from restore.errors import CollectionNotFound, InvalidRequest, SnapshotNotFound, TargetNotFound
from restore.snapshot_summary import SnapshotEntry, SnapshotSummary
from starter.connection import perform
from starter.count_view import CountView
from starter.exit_codes import ExitCode
from starter.snapshot_text import described, listed
from starter.stores_work import in_thread, opened_clients
from starter.yaml_text import yaml_text
from stores.catalog import read_collection
from stores.clients import Clients
from stores.snapshot_catalog import SnapshotCatalog, SnapshotName
from stores.snapshot_records import SnapshotRecord, SnapshotRecords
from stores.snapshot_summaries import snapshot_entries, summarize
from stores.snapshots import open_snapshot

Format = Annotated[
    Literal["table", "json", "yaml"],
    typer.Option("--output", "-o", help="A table for people, JSON or YAML for scripts."),
]
Source = Annotated[str, typer.Option(help="Profile of the cluster.")]


def list_snapshots(
    collection: Annotated[
        str | None,
        typer.Argument(metavar="[[DATABASE/]COLLECTION]", help="Only those of this collection."),
    ] = None,
    source: Source = "default",
    output: Format = "table",
) -> None:
    """List the snapshots of a cluster, ours and Milvus's own, also unfinished ones."""
    perform(_list(collection, source, output))


def describe(
    name: Annotated[
        str,
        typer.Argument(
            metavar="SNAPSHOT",
            help="[[DATABASE/]COLLECTION/]NAME of the catalog, URI of the metadata JSON, or its key.",
        ),
    ],
    source: Source = "default",
    output: Format = "table",
) -> None:
    """Tell what is in a snapshot: segments, rows, objects, bytes, partitions, indexes, age, pins."""
    perform(_describe(name, source, output))


async def _list(collection: str | None, source: str, output: str) -> ExitCode:
    with opened_clients() as clients:

        def work(_: Pulse) -> list[SnapshotEntry]:
            catalog = _catalog(clients, source)
            only = [_collection_id(catalog, collection)] if collection else []
            records = SnapshotRecords(catalog.metadata, catalog.keys).all(*only)
            return sorted(snapshot_entries(catalog, records), key=_by_collection_and_age)

        entries = await in_thread(work)
    _print([each.model_dump() for each in entries], listed(entries), output)
    if not entries and output == "table":
        typer.echo(f"there is no snapshot{f' of {collection}' if collection else ''}", err=True)
    return ExitCode.COMPLETED


async def _describe(name: str, source: str, output: str) -> ExitCode:
    with opened_clients() as clients:

        def work(pulse: Pulse) -> SnapshotSummary:
            catalog = _catalog(clients, source)
            records = list(SnapshotRecords(catalog.metadata, catalog.keys).all())
            opened = open_snapshot(catalog.objects, catalog.bucket, _location(name, catalog, records))
            record = next((each for each in records if each.info.id == opened.source.id), None)
            with CountView("reading", "segments", len(opened.metadata.manifest_list)) as view:

                def tell(segments: int) -> None:
                    pulse.check()
                    view.show(segments, 0)

                return summarize(opened, record, catalog.objects, clients.list_threads, tell)

        summary = await in_thread(work)
    _print(summary.model_dump(), described(summary), output)
    return ExitCode.COMPLETED


def _catalog(clients: Clients, source: str) -> SnapshotCatalog:
    bucket = clients.profile(source).s3.bucket
    return SnapshotCatalog(clients.metadata(source), clients.keys(source), clients.objects(source), bucket)


def _collection_id(catalog: SnapshotCatalog, name: str) -> int:
    database, _, collection = name.rpartition("/")
    try:
        return read_collection(catalog.metadata, catalog.keys, database or "default", collection).id
    except TargetNotFound as error:
        raise CollectionNotFound(str(error)) from error


def _location(name: str, catalog: SnapshotCatalog, records: Iterable[SnapshotRecord]) -> str:
    """The metadata's URI or key; a bare name is enough where only one collection has it."""
    if "/" not in name and not name.endswith(".json"):
        return _only(name, [each.info.s3_location for each in records if _is_committed(each, name)])
    parsed = SnapshotName.parse(name)
    return catalog.find(parsed) if parsed else name


def _is_committed(record: SnapshotRecord, name: str) -> bool:
    return record.info.name == name and bool(record.info.s3_location)


def _only(name: str, locations: list[str]) -> str:
    if not locations:
        raise SnapshotNotFound(
            f"there is no committed snapshot {name!r} in the catalog; see `milvus-restore snapshot list`"
        )
    if len(locations) > 1:
        raise InvalidRequest(
            f"{len(locations)} collections have a snapshot {name!r}; say [database/]collection/{name}"
        )
    return locations[0]


def _by_collection_and_age(entry: SnapshotEntry) -> tuple[str, str, str]:
    return (entry.database or "", entry.collection or entry.collection_id, entry.created_at)


def _print(value: object, table: str, output: str) -> None:
    plain = json.dumps(value, indent=2, ensure_ascii=False)
    text = {"table": table, "json": plain, "yaml": yaml_text(json.loads(plain))}[output]
    if text:
        typer.echo(text)
