"""pymilvus as a process of its own: calls come as lines of JSON on stdin, answers go to stdout.

It runs in the environment of the server's time, and imports nothing of ours. Numbers of 64 bits stay whole,
since JSON in Python has no others.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

from pymilvus import (
    Collection,
    CollectionSchema,
    DataType,
    FieldSchema,
    connections,
    utility,
)

Row = dict[str, Any]

_STRONG = "Strong"
_SECONDS = 60
_MOST_ROWS = 16_384


def create(name: str, fields: list[Row], shards: int, partitions: list[str], description: str) -> None:
    """Make a collection with a dynamic field."""
    schema = CollectionSchema(
        [_field(**field) for field in fields], description=description, enable_dynamic_field=True
    )
    collection = Collection(name, schema, num_shards=shards, consistency_level="Bounded")
    for partition in partitions:
        collection.create_partition(partition)


def insert(name: str, rows: list[Row], partition: str | None = None) -> int:
    """Insert rows and say how many there were."""
    return int(Collection(name).insert(rows, partition_name=partition).insert_count)


def delete(name: str, expression: str) -> None:
    """Delete what matches."""
    Collection(name).delete(expression)


def flush(name: str) -> None:
    """Seal all segments."""
    Collection(name).flush(timeout=_SECONDS)


def create_index(name: str, field: str, index: str, parameters: Row) -> None:
    """Make an index; it is built in the background."""
    Collection(name).create_index(field, parameters, index_name=index, sync=False)


def await_index(name: str, index: str) -> None:
    """Wait until an index is built for all rows."""
    utility.wait_for_index_building_complete(name, index, timeout=_SECONDS)


def drop_index(name: str, index: str) -> None:
    """Remove an index from a collection that is not loaded."""
    Collection(name).drop_index(index_name=index)


def index_progress(name: str, index: str) -> Row:
    """Say how many rows are indexed."""
    return dict(utility.index_building_progress(name, index))


def load(name: str) -> None:
    """Load it, and fail when that takes too long."""
    Collection(name).load(timeout=_SECONDS)


def release(name: str) -> None:
    """Release it."""
    Collection(name).release()


def drop(name: str) -> None:
    """Drop it."""
    utility.drop_collection(name)


def collections() -> list[str]:
    """List the collections."""
    return sorted(utility.list_collections())


def count(name: str, expression: str = "", partitions: list[str] | None = None) -> int:
    """Count what matches."""
    answer = Collection(name).query(
        expression, output_fields=["count(*)"], partition_names=partitions, consistency_level=_STRONG
    )
    return int(answer[0]["count(*)"])


def query(name: str, expression: str, fields: list[str], partitions: list[str] | None = None) -> list[Row]:
    """Return the rows that match."""
    return [
        _plain(row)
        for row in Collection(name).query(
            expression,
            output_fields=fields,
            partition_names=partitions,
            consistency_level=_STRONG,
            limit=_MOST_ROWS,
        )
    ]


def search(
    name: str,
    field: str,
    vectors: list[list[float]],
    parameters: Row,
    limit: int,
    expression: str | None = None,
    partitions: list[str] | None = None,
) -> list[list[tuple[Any, float]]]:
    """Return primary keys and distances, the nearest first, for each vector."""
    found = Collection(name).search(
        vectors,
        field,
        parameters,
        limit,
        expr=expression,
        partition_names=partitions,
        consistency_level=_STRONG,
    )
    return [[(hit.id, float(hit.distance)) for hit in hits] for hits in found]


def compact(name: str) -> None:
    """Compact it and wait for the end."""
    collection = Collection(name)
    collection.compact()
    collection.wait_for_compaction_completed(timeout=_SECONDS)


def loaded_segments(name: str) -> list[Row]:
    """Return what query nodes have loaded, by segment."""
    return [
        {
            "segment": each.segmentID,
            "rows": each.num_rows,
            "index": each.index_name,
            "state": each.state,
        }
        for each in utility.get_query_segment_info(name)
    ]


def _field(name: str, type: str, **more: Any) -> FieldSchema:  # noqa: A002 - the caller's word
    if "element" in more:
        more["element_type"] = DataType[more.pop("element")]
    return FieldSchema(name, DataType[type], **more)


def _plain(value: Any) -> Any:
    """Numbers as Python's own; a list of numbers in the order it has."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, str | bool | int | float) or value is None:
        return value
    if hasattr(value, "item"):
        return value.item()
    return [_plain(each) for each in value]


CALLS: dict[str, Callable[..., Any]] = {
    call.__name__: call
    for call in (
        create,
        insert,
        delete,
        flush,
        create_index,
        await_index,
        drop_index,
        index_progress,
        load,
        release,
        drop,
        collections,
        count,
        query,
        search,
        compact,
        loaded_segments,
    )
}


def serve(address: str) -> None:
    """Answer until stdin ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    connections.connect(address=address, timeout=_SECONDS)
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = {"answer": CALLS[asked["call"]](**asked["arguments"])}
        except Exception as error:
            answer = {"failure": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
