"""Plans of a few made-up chunks."""

from itertools import count

from restore.plan import ChunkEntry, Plan, SnapshotSource, Target
from restore.request import RestoreRequest


def entry(name: str = "chunk", *, objects: int = 1, size: int = 1) -> ChunkEntry:
    return ChunkEntry(key=name, digest="0" * 64, segments=1, rows=1, objects=objects, bytes=size)


def snapshot() -> SnapshotSource:
    return SnapshotSource(
        name="nightly",
        id=999,
        collection_id=111,
        collection="orders",
        bucket="origin",
        key="files/snapshots/111/metadata/999.json",
        root="files",
        etag="0" * 32,
        format_version=4,
    )


def target() -> Target:
    return Target(
        database="default",
        collection="orders_restored",
        collection_id=444,
        bucket="copies",
        root="restored",
        root_path="by-dev",
        meta_sub_path="meta",
        partitions={"_default": 555},
    )


def plan(*tasks: int) -> Plan:
    """A plan with tasks of so many chunks each."""
    numbers = count()
    return Plan(
        job_id=2**40,
        created_at=1_767_225_600,
        request=RestoreRequest(snapshot="s3://origin/files/x", target="orders_restored"),
        snapshot=snapshot(),
        target=target(),
        tasks=tuple(tuple(entry(f"chunk-{next(numbers)}") for _ in range(task)) for task in tasks),
    )
