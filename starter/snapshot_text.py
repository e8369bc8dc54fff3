"""Snapshots as tables for people."""

from collections.abc import Sequence

from restore.snapshot_summary import SnapshotEntry, SnapshotSummary
from starter.tables import aligned
from workflows.details import size

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def listed(entries: Sequence[SnapshotEntry]) -> str:
    """Return one line for each, below a head; nothing at all for none."""
    if not entries:
        return ""
    head = ("collection", "name", "id", "state", "created (UTC)", "age", "pins", "recorded by")
    lines = [
        (
            f"{each.database}/{each.collection}" if each.collection else f"(dropped) {each.collection_id}",
            each.name,
            each.snapshot_id,
            each.state,
            _time(each.created_at),
            age(each.age_seconds),
            str(each.pins),
            each.recorded,
        )
        for each in entries
    ]
    return aligned([head, *lines], indent="")


def described(summary: SnapshotSummary) -> str:
    """Return its figures, then its partitions, indexes and pins."""
    parts = [aligned(_figures(summary), indent=""), "", "partitions", _partitions(summary)]
    if summary.indexes:
        parts += ["", "indexes", _indexes(summary)]
    if summary.pins:
        parts += ["", "pins", _pins(summary)]
    return "\n".join(parts)


def age(seconds: int) -> str:
    """Return it in the largest unit that fits."""
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _figures(summary: SnapshotSummary) -> list[tuple[str, str]]:
    alive = sum(not pin.expired for pin in summary.pins)
    return [
        ("snapshot", f"{summary.database}/{summary.collection}/{summary.name}"),
        ("id", summary.snapshot_id),
        ("collection id", summary.collection_id),
        ("description", summary.description or "-"),
        ("state", summary.state),
        ("recorded by", summary.recorded or "nobody in this catalog"),
        ("created", f"{_time(summary.created_at)} UTC, {age(summary.age_seconds)} ago"),
        ("format version", str(summary.format_version)),
        ("shards", str(summary.shards)),
        ("segments", f"{summary.segments:,}"),
        ("rows", f"{summary.rows:,}"),
        ("objects", f"{summary.objects:,}"),
        ("bytes", f"{summary.bytes:,} ({size(summary.bytes)})"),
        ("pins", str(alive)),
        ("sealed", "yes" if summary.sealed else "no"),
        ("metadata", summary.metadata),
    ]


def _partitions(summary: SnapshotSummary) -> str:
    head = ("name", "id", "segments", "rows")
    lines = [
        (each.name, each.partition_id, f"{each.segments:,}", f"{each.rows:,}") for each in summary.partitions
    ]
    return aligned([head, *lines])


def _indexes(summary: SnapshotSummary) -> str:
    head = ("name", "field", "type", "segments with it")
    lines = [(each.name, each.field, each.index_type or "-", f"{each.builds:,}") for each in summary.indexes]
    return aligned([head, *lines])


def _pins(summary: SnapshotSummary) -> str:
    return aligned(
        [
            ("id", "expires (UTC)"),
            *(
                (each.pin_id, "never" if each.expires_at is None else _time(each.expires_at))
                for each in summary.pins
                if not each.expired
            ),
        ]
    )


def _time(text: str) -> str:
    return text[:19].replace("T", " ")
