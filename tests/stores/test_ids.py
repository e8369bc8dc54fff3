import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from formats.keys import MetaKeys
from restore.errors import StoreUnavailable
from stores.ids import FIRST, LAST, IdAllocator, builds_in_store
from stores.memory import MemoryMetadataStore
from stores.memory_objects import MemoryObjectStore
from stores.metadata import EtcdMetadataStore
from stores.ports import Location, MetadataStore, Transaction

RACERS = 8
EACH = 40


@pytest.fixture
def keys(etcd_root: str) -> MetaKeys:
    return MetaKeys(etcd_root, "meta")


@pytest.fixture(params=["memory", "etcd"])
def metadata(request: pytest.FixtureRequest) -> Iterator[MetadataStore]:
    if request.param == "memory":
        yield MemoryMetadataStore()
        return
    store = EtcdMetadataStore.connect("default", [request.getfixturevalue("etcd_endpoint")])
    yield store
    store.close()


@pytest.fixture
def memory() -> MemoryMetadataStore:
    return MemoryMetadataStore()


def next_id(metadata: MetadataStore, keys: MetaKeys) -> int:
    record = metadata.get(keys.id_counter)
    return int(record.value.split()[0]) if record else FIRST


def set_next(metadata: MetadataStore, keys: MetaKeys, number: int) -> None:
    assert metadata.commit(Transaction(puts={keys.id_counter: str(number).encode()}))


def test_ids_rise_from_the_start_of_the_range(metadata: MetadataStore, keys: MetaKeys) -> None:
    ids = IdAllocator(metadata, keys)
    assert ids.allocate(3) == [FIRST, FIRST + 1, FIRST + 2]
    assert ids.allocate(1) == [FIRST + 3]
    assert ids.allocate(0) == []


def test_the_next_allocator_goes_on_where_the_counter_stands(metadata: MetadataStore, keys: MetaKeys) -> None:
    IdAllocator(metadata, keys).allocate(5)
    assert IdAllocator(metadata, keys).allocate(1) == [FIRST + 5]


def test_exactly_as_many_ids_leave_the_counter_as_are_wanted(metadata: MetadataStore, keys: MetaKeys) -> None:
    IdAllocator(metadata, keys).allocate(1)
    assert next_id(metadata, keys) == FIRST + 1


def test_blocks_save_transactions(memory: MemoryMetadataStore, keys: MetaKeys) -> None:
    ids = IdAllocator(memory, keys, block_size=10)
    assert [ids.allocate(3) for _ in range(4)][-1] == [FIRST + 9, FIRST + 10, FIRST + 11]
    assert next_id(memory, keys) == FIRST + 20


@pytest.mark.parametrize("block", [1, 7])
def test_racing_threads_never_share_an_id(metadata: MetadataStore, keys: MetaKeys, block: int) -> None:
    start = threading.Barrier(RACERS)

    def race(_: int) -> list[int]:
        ids = IdAllocator(metadata, keys, block_size=block)
        start.wait()
        return [number for _ in range(EACH // 4) for number in ids.allocate(4)]

    with ThreadPoolExecutor(RACERS) as pool:
        given = [number for numbers in pool.map(race, range(RACERS)) for number in numbers]
    assert len(set(given)) == RACERS * EACH
    assert max(given) < next_id(metadata, keys)


def test_ids_in_use_are_passed_over(memory: MemoryMetadataStore, keys: MetaKeys) -> None:
    ids = IdAllocator(memory, keys, taken={FIRST, FIRST + 2, FIRST + 3})
    assert ids.allocate(3) == [FIRST + 1, FIRST + 4, FIRST + 5]


def test_a_run_of_ids_in_use_does_not_shorten_the_answer(memory: MemoryMetadataStore, keys: MetaKeys) -> None:
    ids = IdAllocator(memory, keys, taken=range(FIRST, FIRST + 100), block_size=8)
    assert ids.allocate(3) == [FIRST + 100, FIRST + 101, FIRST + 102]


def test_an_occupied_block_is_passed_over_whole(memory: MemoryMetadataStore, keys: MetaKeys) -> None:
    ids = IdAllocator(memory, keys, occupied=lambda block: FIRST + 5 in block, block_size=4)
    assert ids.allocate(3) == [FIRST, FIRST + 1, FIRST + 2]
    assert ids.allocate(3) == [FIRST + 3, FIRST + 8, FIRST + 9]


def test_a_counter_at_the_end_of_its_range_gives_nothing(memory: MemoryMetadataStore, keys: MetaKeys) -> None:
    set_next(memory, keys, LAST - 2)
    ids = IdAllocator(memory, keys)
    assert ids.allocate(2) == [LAST - 2, LAST - 1]
    with pytest.raises(StoreUnavailable, match=f"{keys.id_counter} is at {LAST}"):
        ids.allocate(1)
    assert next_id(memory, keys) == LAST


def test_equal_counts_of_two_writers_are_told_apart(keys: MetaKeys) -> None:
    stores = MemoryMetadataStore(), MemoryMetadataStore()
    assert [IdAllocator(each, keys).allocate(1) for each in stores] == [[FIRST], [FIRST]]
    values = {record.value for store in stores for record in store.scan(keys.id_counter)}
    assert len(values) == 2


class Contended(MemoryMetadataStore):
    """Somebody else takes an id between each of our reads and writes."""

    def commit(self, transaction: Transaction) -> bool:
        for guard in transaction.guards:
            record = self.get(guard.key)
            super().commit(
                Transaction(puts={guard.key: str(int(record.value) + 1 if record else 1).encode()})
            )
        return super().commit(transaction)


def test_an_allocator_that_always_loses_says_so(keys: MetaKeys) -> None:
    with pytest.raises(StoreUnavailable, match=f"{keys.id_counter} was changed by others"):
        IdAllocator(Contended(), keys).allocate(1)


BLOCK = range(FIRST, FIRST + 256)
FOLDERS = ["index_files", "text_log", "json_key_index_log", "json_stats/2"]


def store_with(*found: str) -> MemoryObjectStore:
    objects = MemoryObjectStore("b")
    for key in found:
        objects.put(Location("b", key), b"x")
    return objects


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("build", [BLOCK.start, BLOCK.stop - 1])
def test_a_block_is_occupied_when_files_of_one_of_its_builds_are_there(folder: str, build: int) -> None:
    objects = store_with(f"files/{folder}/{build}/1/2/3/file")
    assert builds_in_store(objects, "b", "files")(BLOCK)


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("build", [BLOCK.start - 1, BLOCK.stop, 462_000_000_000_000_000, 3])
def test_a_block_is_free_when_only_files_of_other_builds_are_there(folder: str, build: int) -> None:
    objects = store_with(f"files/{folder}/{build}/1/2/3/file")
    assert not builds_in_store(objects, "b", "files")(BLOCK)


def test_builds_are_looked_for_below_the_root_alone() -> None:
    objects = store_with(f"index_files/{FIRST}/1/2/3/file")
    assert not builds_in_store(objects, "b", "files")(BLOCK)
    assert builds_in_store(objects, "b", "")(BLOCK)
