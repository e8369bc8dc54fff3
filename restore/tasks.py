"""Cutting a plan into chunks and tasks by objects and bytes (architecture, decision 1)."""

from collections.abc import Iterable, Iterator, Sequence

from restore.plan import ChunkEntry

CHUNK_OBJECTS = 500
"""Smallest task: below this, a child workflow costs more than the copies it makes."""

TASK_OBJECTS = 2_000
"""Largest task: above this, a lost worker repeats too much."""

TASK_BYTES = 2 * 2**30
"""Bytes of a task, so that a few large segments do not become one long tail."""


def task_limit(objects: int, concurrency: int) -> int:
    """Objects per task, such that every child has about four tasks."""
    return min(max(objects // (4 * concurrency), CHUNK_OBJECTS), TASK_OBJECTS)


def fits(objects: int, size: int, *, limit: int) -> bool:
    """True when a group of so many objects and bytes is within a task's limits."""
    return objects <= limit and size <= TASK_BYTES


def group(chunks: Sequence[ChunkEntry], concurrency: int) -> tuple[tuple[ChunkEntry, ...], ...]:
    """Tasks of consecutive chunks; every chunk is in exactly one task, order is kept."""
    limit = task_limit(sum(chunk.objects for chunk in chunks), concurrency)
    return tuple(_runs(chunks, limit))


def _runs(chunks: Iterable[ChunkEntry], limit: int) -> Iterator[tuple[ChunkEntry, ...]]:
    run: tuple[ChunkEntry, ...] = ()
    for chunk in chunks:
        longer = (*run, chunk)
        if run and not fits(sum(c.objects for c in longer), sum(c.bytes for c in longer), limit=limit):
            yield run
            longer = (chunk,)
        run = longer
    if run:
        yield run
