from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore.plan import ChunkEntry
from restore.tasks import CHUNK_OBJECTS, TASK_BYTES, TASK_OBJECTS, fits, group, task_limit
from tests.restore.plans import entry

MIB = 2**20
chunks = st.lists(
    st.builds(
        entry,
        objects=st.integers(1, 3 * CHUNK_OBJECTS),
        size=st.one_of(st.integers(0, 64 * MIB), st.integers(0, 2 * TASK_BYTES)),
    ),
    max_size=60,
)
concurrency = st.integers(1, 256)


def objects(run: tuple[ChunkEntry, ...]) -> int:
    return sum(chunk.objects for chunk in run)


def size(run: tuple[ChunkEntry, ...]) -> int:
    return sum(chunk.bytes for chunk in run)


@given(chunks, concurrency)
def test_every_chunk_is_in_exactly_one_task_and_order_is_kept(made: list[ChunkEntry], children: int) -> None:
    tasks = group(made, children)
    assert [chunk for task in tasks for chunk in task] == made
    assert all(tasks)


@given(chunks, concurrency)
def test_a_task_of_several_chunks_is_within_the_limits(made: list[ChunkEntry], children: int) -> None:
    limit = min(max(objects(tuple(made)) // (4 * children), 500), 2_000)
    for task in group(made, children):
        assert len(task) == 1 or (objects(task) <= limit and size(task) <= 2 * 2**30)


@given(chunks, concurrency)
def test_no_task_has_room_for_the_next_ones_first_chunk(made: list[ChunkEntry], children: int) -> None:
    limit = task_limit(objects(tuple(made)), children)
    for task, following in pairwise(group(made, children)):
        longer = (*task, following[0])
        assert not fits(objects(longer), size(longer), limit=limit)


@pytest.mark.parametrize(
    ("whole", "children", "expected"),
    [
        (0, 16, CHUNK_OBJECTS),
        (32_000, 16, 500),
        (64_000, 16, 1_000),
        (128_000, 16, 2_000),
        (10_000_000, 16, TASK_OBJECTS),
        (10_000_000, 256, TASK_OBJECTS),
        (1_000_000, 256, 976),
        (4_000, 1, 1_000),
    ],
)
def test_a_child_gets_about_four_tasks_of_500_to_2000_objects(
    whole: int, children: int, expected: int
) -> None:
    assert task_limit(whole, children) == expected


def test_a_task_may_be_exactly_as_large_as_the_limits() -> None:
    assert fits(500, TASK_BYTES, limit=500)
    assert not fits(501, 0, limit=500)
    assert not fits(0, TASK_BYTES + 1, limit=500)


def test_a_chunk_above_the_limits_is_a_task_of_its_own() -> None:
    large, small = entry("large", size=3 * 2**30), entry("small")
    assert group([small, large, small], 16) == ((small,), (large,), (small,))


def test_nothing_to_restore_makes_no_task() -> None:
    assert group([], 16) == ()
