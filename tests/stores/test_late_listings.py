"""A store that lists late what it holds."""

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from restore.plan import Chunk
from stores.inventory import Inventory
from stores.memory_objects import MemoryObjectStore
from stores.plan_archive import PlanArchive
from stores.ports import Location, ObjectStat

SEEN, UNSEEN, ABSENT = (f"files/insert_log/1/2/3/100/{name}" for name in ("41", "42", "43"))
JOB = 7


class LateStore(MemoryObjectStore):
    """Lists nothing of what is `unlisted`; whoever asks for it by name gets it."""

    unlisted: tuple[str, ...] = ()

    def scan(self, bucket: str, prefix: str, start_after: str = "") -> Iterator[ObjectStat]:
        found = super().scan(bucket, prefix, start_after)
        return (stat for stat in found if not stat.key.endswith(self.unlisted))


@pytest.fixture
def store() -> LateStore:
    store = LateStore("b")
    for key in (SEEN, UNSEEN):
        store.put(Location("b", key), key.encode())
    store.unlisted = (UNSEEN,)
    return store


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_what_a_listing_does_not_show_is_asked_for_by_name(store: LateStore, threads: Executor) -> None:
    keys = [SEEN, UNSEEN, ABSENT]
    listed = Inventory.take(store, "b", keys, threads)
    assert set(listed.found) == {SEEN}
    assert set(listed.confirmed(store, keys, threads).found) == {SEEN, UNSEEN}


def test_chunks_of_a_plan_that_was_not_finished_are_known_by_their_order(store: LateStore) -> None:
    archive = PlanArchive(store, "b", "files")
    stored = [
        archive.put_chunk(JOB, number, Chunk(segments=()), objects=0, size=0).key for number in range(3)
    ]
    store.unlisted = (".gz",)
    assert list(archive.chunks_without_header(JOB)) == stored
    assert list(archive.chunks_without_header(JOB + 1)) == []
