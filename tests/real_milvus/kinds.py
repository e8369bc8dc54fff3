"""The collections of these tests: rows that a seed decides, and how they get into segments."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from samples.milvus.client import Client

Row = dict[str, Any]


@dataclass(frozen=True)
class Index:
    """An index, as pymilvus wants it."""

    name: str
    field: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Kind:
    """What a collection is made of."""

    name: str
    fields: Sequence[Row]
    shards: int
    partitions: Sequence[str]
    indexes: Sequence[Index]
    vector: str
    dim: int
    row: Callable[[int], Row]
    key: str
    """The primary key's field."""

    search: Mapping[str, Any]
    """Parameters of a search."""

    batches: Sequence[tuple[str, range]]
    """Partition and numbers of rows that go in together; before a partition comes again, there is a flush."""

    deleted: Sequence[int]
    """Numbers of the rows that are deleted after the last flush."""

    def keys(self, numbers: Sequence[int]) -> list[Any]:
        """The primary keys of rows."""
        return [self.row(number)[self.key] for number in numbers]

    def among(self, numbers: Sequence[int]) -> str:
        """The expression that names rows."""
        return f"{self.key} in {self.keys(numbers)}".replace("'", '"')

    def vectors(self, count: int) -> list[list[float]]:
        """Vectors to search for: near rows, equal to none."""
        return [_vector(10**6 + number, self.dim) for number in range(count)]


def seed(client: Client, kind: Kind) -> None:
    """Have the collection with its segments and finished indexes, loaded; its deletes are still in memory."""
    client.create(
        name=kind.name,
        fields=list(kind.fields),
        shards=kind.shards,
        partitions=[each for each in kind.partitions if each != "_default"],
        description="what is restored",
    )
    for flushed in _flushes(kind.batches):
        for partition, numbers in flushed:
            insert(client, kind, kind.name, numbers, partition)
        client.flush(name=kind.name)
    make_indexes(client, kind.name, kind.indexes)
    client.load(name=kind.name)
    client.delete(name=kind.name, expression=kind.among(kind.deleted))


def insert(client: Client, kind: Kind, name: str, numbers: range, partition: str) -> None:
    rows = [kind.row(number) for number in numbers]
    assert client.insert(name=name, rows=rows, partition=partition) == len(rows)


def make_indexes(client: Client, name: str, indexes: Sequence[Index]) -> None:
    """Have these indexes, built one after the other: Milvus may overlook one for a minute."""
    for index in indexes:
        client.create_index(name=name, field=index.field, index=index.name, parameters=dict(index.parameters))
        client.await_index(name=name, index=index.name)


def _flushes(batches: Sequence[tuple[str, range]]) -> Iterator[list[tuple[str, range]]]:
    """Batches up to the first that meets a partition again, and so on."""
    together: list[tuple[str, range]] = []
    for batch in batches:
        if batch[0] in [partition for partition, _ in together]:
            yield together
            together = []
        together.append(batch)
    yield together


def _vector(seed: int, dim: int) -> list[float]:
    chance = random.Random(seed)
    return [round(chance.uniform(-1, 1), 4) for _ in range(dim)]


def _order(number: int) -> Row:
    chance = random.Random(number)
    row: Row = {
        "id": number,
        "embedding": _vector(number, 64),
        "price": chance.randrange(10_000),
        "title": f"{chance.choice('abcdef')}{chance.choice('xyz')}-{number:06d}",
        "weight": round(chance.random(), 3),
        "open": number % 3 == 0,
        "details": {"rank": number % 17, "tags": [f"t{number % 5}", f"u{number % 7}"], "deep": {"n": number}},
        "scores": [number % 11, number % 13, number % 29],
        # These two have no field of their own.
        "color": chance.choice(("red", "green", "blue")),
        "stock": number % 101,
    }
    if number % 4 == 0:
        row["note"] = f"every fourth, {number}"
    return row


def _word(number: int) -> Row:
    return {"word": f"word-{number:05d}", "meaning": _vector(number, 16), "length": number % 23}


ORDERS: Final = Kind(
    name="orders",
    fields=(
        {"name": "id", "type": "INT64", "is_primary": True},
        {"name": "embedding", "type": "FLOAT_VECTOR", "dim": 64},
        {"name": "price", "type": "INT64"},
        {"name": "title", "type": "VARCHAR", "max_length": 64},
        {"name": "weight", "type": "DOUBLE"},
        {"name": "open", "type": "BOOL"},
        {"name": "details", "type": "JSON"},
        {"name": "scores", "type": "ARRAY", "element": "INT32", "max_capacity": 8},
    ),
    shards=2,
    partitions=("_default", "east", "west"),
    indexes=(
        Index(
            "near",
            "embedding",
            {"index_type": "HNSW", "metric_type": "L2", "params": {"M": 32, "efConstruction": 64}},
        ),
        Index("by_price", "price", {"index_type": "STL_SORT"}),
        Index("by_title", "title", {"index_type": "Trie"}),
    ),
    vector="embedding",
    dim=64,
    row=_order,
    key="id",
    search={"metric_type": "L2", "params": {"ef": 64}},
    batches=(
        ("_default", range(300)),
        ("east", range(1_000, 6_600)),
        ("west", range(10_000, 12_400)),
        ("east", range(20_000, 20_400)),
    ),
    deleted=(*range(1_000, 1_040), *range(10_000, 10_020), *range(20_000, 20_004)),
)

WORDS: Final = Kind(
    name="words",
    fields=(
        {"name": "word", "type": "VARCHAR", "max_length": 32, "is_primary": True},
        {"name": "meaning", "type": "FLOAT_VECTOR", "dim": 16},
        {"name": "length", "type": "INT8"},
    ),
    shards=1,
    partitions=("_default",),
    indexes=(
        Index(
            "inverted",
            "meaning",
            {"index_type": "IVF_FLAT", "metric_type": "COSINE", "params": {"nlist": 16}},
        ),
    ),
    vector="meaning",
    dim=16,
    row=_word,
    key="word",
    search={"metric_type": "COSINE", "params": {"nprobe": 4}},
    batches=(("_default", range(1_500)), ("_default", range(1_500, 1_600))),
    deleted=tuple(range(0, 1_600, 50)),
)
