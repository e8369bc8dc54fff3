"""What a collection is asked, so that two can be compared by their answers."""

from typing import Any

from samples.milvus.client import Client
from tests.real_milvus.kinds import ORDERS, Kind

Answers = dict[str, Any]

_NEIGHBOURS = 10
_SEARCHES = 10


def answers(client: Client, kind: Kind, name: str) -> Answers:
    """Every probe's answer: counts, filters, whole rows, and nearest neighbours with their distances."""
    found: Answers = {"rows in all": client.count(name=name)}
    for partition in kind.partitions:
        found[f"rows of {partition}"] = client.count(name=name, partitions=[partition])
    for expression in _FILTERS.get(kind.name, ("length > 10", 'word like "word-001%"')):
        found[f"keys with {expression}"] = _keys(client, kind, name, expression)
    found["whole rows"] = whole_rows(client, kind, name)
    found["nearest"] = nearest(client, kind, name)
    found["nearest of a partition"] = nearest(client, kind, name, partitions=[kind.partitions[-1]])
    if kind is ORDERS:
        found["nearest below a price"] = nearest(client, kind, name, expression="price < 3000")
    return found


def nearest(client: Client, kind: Kind, name: str, **more: Any) -> list[list[tuple[Any, float]]]:
    """Primary keys and distances of the nearest rows, for each vector."""
    found: list[list[tuple[Any, float]]] = client.search(
        name=name,
        field=kind.vector,
        vectors=kind.vectors(_SEARCHES),
        parameters=dict(kind.search),
        limit=_NEIGHBOURS,
        **more,
    )
    return found


def whole_rows(client: Client, kind: Kind, name: str) -> list[dict[str, Any]]:
    """All rows with all their fields, by primary key."""
    every = f'{kind.key} >= ""' if isinstance(kind.row(0)[kind.key], str) else f"{kind.key} >= 0"
    return sorted(client.query(name=name, expression=every, fields=["*"]), key=lambda row: row[kind.key])


_FILTERS = {
    ORDERS.name: (
        "price >= 2500 and price < 3500",
        'title like "ax%"',
        "open == true and weight > 0.9",
        'details["rank"] == 4',
        'json_contains(details["tags"], "t3")',
        'details["deep"]["n"] > 11000',
        "array_contains(scores, 28)",
        "array_length(scores) == 3 and scores[0] == 7",
        'color == "red" and stock < 20',
        'note like "every%"',
    )
}


def _keys(client: Client, kind: Kind, name: str, expression: str) -> list[Any]:
    rows = client.query(name=name, expression=expression, fields=[kind.key])
    assert rows, f"nothing matches {expression}, so the probe shows nothing"
    return sorted(row[kind.key] for row in rows)
