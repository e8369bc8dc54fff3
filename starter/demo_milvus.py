"""The demo's last part: a real Milvus searches a collection and what was restored of it, side by side."""

import random
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from samples.milvus.client import Client, connected
from samples.milvus.configuration import Place
from samples.milvus.distribution import Distribution
from samples.milvus.server import MilvusServer, running
from starter.demo_work import run, worker

SOURCE: Final = "articles"
TARGET: Final = "articles_restored"
_SNAPSHOT: Final = "demo"

_ROWS: Final = 4_000
_DELETED: Final = range(0, _ROWS, 40)
_DIM: Final = 32
_SEARCHES: Final = 20
_NEIGHBOURS: Final = 10
_SHOWN: Final = 5

_FIELDS: Final = [
    {"name": "id", "type": "INT64", "is_primary": True},
    {"name": "embedding", "type": "FLOAT_VECTOR", "dim": _DIM},
]
_INDEX: Final = {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 16, "efConstruction": 64}}
_SEARCH: Final = {"metric_type": "L2", "params": {"ef": 64}}

Hits = list[list[tuple[int, float]]]


@dataclass(frozen=True)
class Comparison:
    """Rows counted and nearest neighbours found, in the source and in what was restored of it.

    `restored` and `queryable` are seconds since the restore was asked for.
    """

    rows: tuple[int, int]
    hits: tuple[Hits, Hits]
    restored: float
    queryable: float

    @property
    def equal(self) -> bool:
        """True when counts, ids and distances are the same, and there are any."""
        expected = _SEARCHES * _NEIGHBOURS
        same = self.rows[0] == self.rows[1] and self.hits[0] == self.hits[1]
        return same and self.found == expected and self.rows[0] == _ROWS - len(_DELETED)

    @property
    def found(self) -> int:
        """How many neighbours both sides have in the same place, with the same distance."""
        sides = ([hit for search in side for hit in search] for side in self.hits)
        return sum(one == other for one, other in zip(*sides, strict=False))


def compare(settings: Mapping[str, str], bucket: str, distribution: Distribution) -> Comparison:
    """Run a Milvus in `bucket`, snapshot a collection of it, restore that, and ask both the same.

    Nothing of the server is left but what it wrote to etcd and `bucket`. Raises LocalServerFailed, and
    typer.Exit when a command fails.
    """
    place = Place(
        etcd=settings["RESTORE_ETCD_ENDPOINTS"],
        # The sample's records are of a newer Milvus, and this one would not start with them.
        etcd_root=f"demo-{secrets.token_hex(4)}",
        s3=settings["RESTORE_S3_ENDPOINT"],
        access_key=settings["AWS_ACCESS_KEY_ID"],
        secret_key=settings["AWS_SECRET_ACCESS_KEY"],
        bucket=bucket,
    )
    with (
        TemporaryDirectory(prefix="milvus-restore-milvus-") as folder,
        running(Path(folder) / "milvus", place, distribution) as server,
        connected(server.address, Path(folder) / "pymilvus.log", distribution) as client,
    ):
        _make_source(client)
        return _restore_and_ask(server, client, {**settings, **server.settings()})


def _make_source(client: Client) -> None:
    """Have it in two segments with a finished index each; its deletes are still in memory."""
    client.create(name=SOURCE, fields=_FIELDS, shards=2, partitions=[], description="of the demo")
    rows = [{"id": number, "embedding": _vector(number)} for number in range(_ROWS)]
    client.insert(name=SOURCE, rows=rows)
    client.flush(name=SOURCE)
    client.create_index(name=SOURCE, field="embedding", index="near", parameters=_INDEX)
    client.await_index(name=SOURCE, index="near")
    client.load(name=SOURCE)
    client.delete(name=SOURCE, expression=f"id in {[*_DELETED]}")


def _restore_and_ask(server: MilvusServer, client: Client, settings: Mapping[str, str]) -> Comparison:
    with worker(settings):
        run(settings, "snapshot", "create", SOURCE, _SNAPSHOT, "--flush")
        began = time.monotonic()
        run(settings, "start", f"{SOURCE}/{_SNAPSHOT}", TARGET)
        restored = time.monotonic() - began
        server.restart()
        client.load(name=TARGET)
        hits = _hits(client, TARGET)
        queryable = time.monotonic() - began
    client.load(name=SOURCE)
    return Comparison(
        rows=(client.count(name=SOURCE), client.count(name=TARGET)),
        hits=(_hits(client, SOURCE), hits),
        restored=restored,
        queryable=queryable,
    )


def _hits(client: Client, name: str) -> Hits:
    vectors = [_vector(_ROWS + number) for number in range(_SEARCHES)]
    found: list[list[Any]] = client.search(
        name=name, field="embedding", vectors=vectors, parameters=_SEARCH, limit=_NEIGHBOURS
    )
    return [[(number, distance) for number, distance in search] for search in found]


def _vector(seed: int) -> list[float]:
    chance = random.Random(seed)  # noqa: S311 - a sample, not a secret
    return [round(chance.uniform(-1, 1), 4) for _ in range(_DIM)]


def tell(console: Console, comparison: Comparison) -> None:
    """Have the first search's answers shown side by side, and the sum of all."""
    table = Table(title=f"The nearest of one vector, of {_SEARCHES}")
    for column in (SOURCE, "distance", TARGET, "distance"):
        table.add_column(column, justify="right")
    table.add_column()
    for one, other in list(zip(*(side[0] for side in comparison.hits), strict=False))[:_SHOWN]:
        mark = "[green]equal[/]" if one == other else "[red]differs[/]"
        table.add_row(str(one[0]), f"{one[1]:.6f}", str(other[0]), f"{other[1]:.6f}", mark)
    console.print(table)
    console.print(
        f"   {comparison.found} of {_SEARCHES * _NEIGHBOURS} neighbours are equal, ids and distances; "
        f"{comparison.rows[0]:,} rows, and {comparison.rows[1]:,}"
    )
    console.print(
        f"   restored after {comparison.restored:.1f} s, queryable after {comparison.queryable:.1f} s: "
        "Milvus restarted, loaded"
    )
