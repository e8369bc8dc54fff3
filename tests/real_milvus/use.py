"""A restored collection in use, as any other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.real_milvus.cluster import Cluster
from tests.real_milvus.kinds import Index, Kind, insert, make_indexes
from tests.real_milvus.probes import nearest, whole_rows


@dataclass
class Use:
    """Counts after each step, expected and found."""

    rows: list[tuple[str, int, int]] = field(default_factory=list)
    segments_before: int = 0
    segments_after: int = 0
    rows_by_key: dict[Any, dict[str, Any]] = field(default_factory=dict)
    nearest: list[Any] = field(default_factory=list)


def use(cluster: Cluster, kind: Kind, name: str, partition: str, deleted: list[int], inserted: range) -> Use:
    """Delete restored rows of all shards, insert, flush, release, load, compact; count after each step."""
    client, seen = cluster.client, Use()
    expected = client.count(name=name)

    def step(what: str, act: Callable[[], object], change: int = 0) -> None:
        nonlocal expected
        act()
        expected += change
        seen.rows.append((what, expected, client.count(name=name)))

    def restart() -> None:
        cluster.server.restart()
        client.load(name=name)

    def reload() -> None:
        client.release(name=name)
        client.load(name=name)

    half = len(deleted) // 2
    first, second = deleted[:half], deleted[half:]
    step("deleted", lambda: client.delete(name=name, expression=kind.among(first)), -len(first))
    step("inserted", lambda: insert(client, kind, name, inserted, partition), len(inserted))
    step("deleted of the new", lambda: client.delete(name=name, expression=kind.among(inserted[:7])), -7)
    step("flushed", lambda: client.flush(name=name))
    step("loaded again", reload)
    step("deleted once more", lambda: client.delete(name=name, expression=kind.among(second)), -len(second))
    step("restarted before a flush", restart)
    step("flushed again", lambda: client.flush(name=name))
    seen.segments_before = len(client.loaded_segments(name=name))
    step("compacted", lambda: client.compact(name=name))
    step("loaded after compaction", reload)
    seen.segments_after = len(client.loaded_segments(name=name))
    seen.rows_by_key = {row[kind.key]: row for row in whole_rows(client, kind, name)}
    seen.nearest = nearest(client, kind, name)
    return seen


def index_anew(cluster: Cluster, name: str, index: Index) -> None:
    """Have another index in place of one, built by Milvus from the restored logs, and loaded."""
    client = cluster.client
    client.release(name=name)
    client.drop_index(name=name, index=index.name)
    make_indexes(client, name, [index])
    client.load(name=name)
