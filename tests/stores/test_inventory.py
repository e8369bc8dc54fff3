from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import PlannedObject
from stores.inventory import Inventory, same_content
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location, ObjectStat

ONE = "files/insert_log/1/2/3/100/41"
OTHER = "files/stats_log/1/2/3/100/42"


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def objects() -> MemoryObjectStore:
    store = MemoryObjectStore("b")
    for key in (ONE, OTHER, "files/insert_log/1/2/3/101/43", "files/insert_log/1/2/30/100/44"):
        store.put(Location("b", key), key.encode())
    return store


def planned(key: str = ONE, size: int | None = None, target: str = "t") -> PlannedObject:
    return PlannedObject(kind="insert", source=key, target=target, size=size)


def test_every_object_of_the_folders_is_found_and_nothing_else(
    objects: MemoryObjectStore, threads: Executor
) -> None:
    found = Inventory.take(objects, "b", [ONE, OTHER], threads).found
    assert set(found) == {ONE, OTHER, "files/insert_log/1/2/3/101/43"}
    assert found[ONE] == objects.stat(Location("b", ONE))


def test_absent_objects_are_not_found(objects: MemoryObjectStore, threads: Executor) -> None:
    assert Inventory.take(objects, "b", ["files/delta_log/1/2/3/9"], threads).found == {}
    assert Inventory.take(objects, "b", [], threads).found == {}


@pytest.mark.parametrize("size", [None, len(ONE)])
def test_a_source_is_as_its_manifest_recorded(
    objects: MemoryObjectStore, threads: Executor, size: int | None
) -> None:
    found = Inventory.take(objects, "b", [ONE], threads)
    assert found.source_of(planned(size=size)).size == len(ONE)


def test_an_absent_source_is_missed_by_name(objects: MemoryObjectStore, threads: Executor) -> None:
    gone = "files/insert_log/1/2/3/100/99"
    found = Inventory.take(objects, "b", [gone], threads)
    with pytest.raises(ObjectMissing, match=f"insert object s3://b/{gone} is named .* but is absent"):
        found.source_of(planned(gone))


@pytest.mark.parametrize("size", [len(ONE) - 1, len(ONE) + 1], ids=["grown", "truncated"])
def test_a_source_of_another_size_is_named_with_both(
    objects: MemoryObjectStore, threads: Executor, size: int
) -> None:
    found = Inventory.take(objects, "b", [ONE], threads)
    with pytest.raises(ObjectMismatch, match=f"s3://b/{ONE} has {len(ONE)} bytes, expected {size}"):
        found.source_of(planned(size=size))


def test_strangers_are_what_nobody_planned(objects: MemoryObjectStore, threads: Executor) -> None:
    found = Inventory.take(objects, "b", [ONE], threads)
    strangers = [stat.key for stat in found.strangers([planned(target=ONE)])]
    assert strangers == ["files/insert_log/1/2/3/101/43"]


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ((5, "e"), (5, "e"), True),
        ((5, "e"), (6, "e"), False),
        ((5, "e"), (5, "f"), False),
        ((5, "e-2"), (5, "f"), None),
        ((5, "e"), (5, "f-2"), None),
        ((5, "e-2"), (5, "e-2"), True),
        ((5, "e-2"), (6, "f-2"), False),
    ],
)
def test_content_is_the_same_as_far_as_sizes_and_etags_tell(
    source: tuple[int, str], target: tuple[int, str], expected: bool | None
) -> None:
    assert same_content(ObjectStat("a", *source), ObjectStat("b", *target)) is expected
