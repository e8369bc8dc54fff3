"""What happens to the collections, in the order in which it happens; each part tells what it saw."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samples.milvus.configuration import GarbageCollection
from tests.real_milvus.catalog import Restored
from tests.real_milvus.cluster import Cluster
from tests.real_milvus.desk import Desk
from tests.real_milvus.kinds import ORDERS, WORDS, Kind, insert, seed
from tests.real_milvus.probes import Answers, answers, nearest
from tests.real_milvus.server_log import ServerLog
from tests.real_milvus.snapshots import Snapshot

KINDS = (ORDERS, WORDS)

SNAPSHOT = "nightly"

_ROUNDS = 3
_CHANGED = range(30_000, 30_100)
_GONE = range(2_000, 2_005)


@dataclass(frozen=True)
class Source:
    """What the source answered when its snapshots were taken."""

    golden: Mapping[Kind, Answers]
    snapshots: Mapping[Kind, Snapshot]


@dataclass(frozen=True)
class Twin:
    """What a target and its living source were like after garbage was collected beside them."""

    rounds: int
    source_objects_before: Mapping[str, int]
    source_objects_after: Mapping[str, int]
    twin_objects_before: Mapping[str, int]
    twin_objects_after: Mapping[str, int]
    source_rows: int
    source_nearest: list[Any]
    source_nearest_before: list[Any]
    twin_rows: int
    twin_nearest: list[Any]
    builds: int


@dataclass(frozen=True)
class Target:
    """A restored collection after its cluster's coordinator was started again."""

    kind: Kind
    name: str
    result: Mapping[str, Any]
    records: Restored
    answers: Answers
    log: ServerLog
    seconds_restored: float
    seconds_queryable: float


def make_source(cluster: Cluster, desk: Desk) -> Source:
    """Seed the collections, note their answers, and take snapshots; taking them flushes."""
    golden, snapshots = {}, {}
    for kind in KINDS:
        seed(cluster.client, kind)
        golden[kind] = answers(cluster.client, kind, kind.name)
        taken = desk.take_snapshot(kind.name, SNAPSHOT, "--flush")
        snapshots[kind] = Snapshot.read(cluster, taken["metadata"])
    return Source(golden, snapshots)


def make_twin(cluster: Cluster, desk: Desk, source: Source) -> Twin:
    """Restore beside the living source, change the source, and let Milvus collect garbage."""
    client, name = cluster.client, "orders_twin"
    snapshot = source.snapshots[ORDERS]
    desk.restore(snapshot.uri, name)
    insert(client, ORDERS, ORDERS.name, _CHANGED, "east")
    client.delete(name=ORDERS.name, expression=ORDERS.among(_GONE))
    client.flush(name=ORDERS.name)
    nearest_before = nearest(client, ORDERS, ORDERS.name)
    client.release(name=ORDERS.name)
    client.release(name=WORDS.name)
    before, mine = _objects_of(cluster, snapshot), _objects_of_target(cluster, name)
    mark = cluster.server.logged
    cluster.server.restart(GarbageCollection(interval=1, missing_tolerance=1))
    cluster.server.wait_until(
        lambda: ServerLog(cluster.server.said(mark)).collections > _ROUNDS, "garbage is collected"
    )
    rounds = ServerLog(cluster.server.said(mark)).collections
    for each in (ORDERS.name, name):
        client.load(name=each)
    log = ServerLog(cluster.server.said(mark))
    twin = Twin(
        rounds=rounds,
        source_objects_before=before,
        source_objects_after=_objects_of(cluster, snapshot),
        twin_objects_before=mine,
        twin_objects_after=_objects_of_target(cluster, name),
        source_rows=client.count(name=ORDERS.name),
        source_nearest=nearest(client, ORDERS, ORDERS.name),
        source_nearest_before=nearest_before,
        twin_rows=client.count(name=name),
        twin_nearest=nearest(client, ORDERS, name),
        builds=log.builds(Restored.read(cluster, name).collection.id),
    )
    # From here on nothing is to be collected: the source is going to be dropped.
    client.release(name=name)
    cluster.server.restart()
    return twin


def restore_all(cluster: Cluster, desk: Desk, source: Source, *more: str) -> dict[Kind, Target]:
    """Restore every snapshot, start the coordinator again, and ask what the sources were asked."""
    began = time.monotonic()
    results = {kind: desk.restore(source.snapshots[kind].uri, _restored(kind), *more) for kind in KINDS}
    restored = time.monotonic() - began
    records = {kind: Restored.read(cluster, _restored(kind)) for kind in KINDS}
    mark = cluster.server.logged
    cluster.server.restart()
    for kind in KINDS:
        cluster.client.load(name=_restored(kind))
    queryable = time.monotonic() - began
    found = {kind: answers(cluster.client, kind, _restored(kind)) for kind in KINDS}
    log = ServerLog(cluster.server.said(mark))
    return {
        kind: Target(
            kind, _restored(kind), results[kind], records[kind], found[kind], log, restored, queryable
        )
        for kind in KINDS
    }


def drop_sources(cluster: Cluster) -> None:
    """Drop what was restored from."""
    for kind in KINDS:
        cluster.client.drop(name=kind.name)


def _restored(kind: Kind) -> str:
    return f"{kind.name}_restored"


def _objects_of(cluster: Cluster, snapshot: Snapshot) -> dict[str, int]:
    """Every object that a snapshot names, and is there."""
    named = {
        path
        for each in snapshot.manifests
        for path in (
            *(log.log_path for field in each.binlog_files for log in field.binlogs),
            *(log.log_path for field in each.statslog_files for log in field.binlogs),
            *(log.log_path for field in each.deltalog_files for log in field.binlogs),
            *(path for index in each.index_files for path in index.index_file_paths),
        )
    }
    below = {path.removeprefix(f"{cluster.place.root}/") for path in named}
    return {key: size for key, size in cluster.objects().items() if key in below}


def _objects_of_target(cluster: Cluster, name: str) -> dict[str, int]:
    """Every object that the records of a collection name, and is there."""
    restored = Restored.read(cluster, name)
    named = {key for segment in restored.segments for key in segment.objects}
    return {key: size for key, size in restored.objects.items() if key in named}
