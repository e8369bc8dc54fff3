"""How many objects and bytes were brought to their places, and how many were proved to be right."""

from collections.abc import Iterable
from typing import Literal

from opentelemetry import metrics

Outcome = Literal["copied", "streamed", "in_place"]
"""Copied inside the store, streamed from another one, or found where it belongs."""

_meter = metrics.get_meter("milvus-restore")
_objects = _meter.create_counter(
    "milvus_restore.objects", "{object}", "Objects in place, by how they came there."
)
_bytes = _meter.create_counter("milvus_restore.bytes", "By", "Bytes in place, by how they came there.")
_verified_objects = _meter.create_counter(
    "milvus_restore.verified_objects", "{object}", "Objects proved to be what the snapshot says."
)
_verified_bytes = _meter.create_counter(
    "milvus_restore.verified_bytes", "By", "Bytes of objects proved to be what the snapshot says."
)


def count_objects(outcome: Outcome, size: int, *, objects: int = 1) -> None:
    """Count objects that are in place now, `size` bytes together."""
    if objects:
        _objects.add(objects, {"outcome": outcome})
        _bytes.add(size, {"outcome": outcome})


def count_verified(sizes: Iterable[int]) -> None:
    """Count objects that were proved, by their sizes in bytes."""
    proved = list(sizes)
    _verified_objects.add(len(proved))
    _verified_bytes.add(sum(proved))
