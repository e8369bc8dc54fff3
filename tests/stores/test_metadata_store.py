"""One contract for both metadata stores: etcd, and its twin in memory."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from stores.memory import MemoryMetadataStore
from stores.metadata import EtcdMetadataStore
from stores.packing import MAX_BYTES
from stores.ports import Guard, MetadataStore, Record, Transaction


@pytest.fixture(scope="module")
def etcd(etcd_endpoint: str) -> Iterator[EtcdMetadataStore]:
    store = EtcdMetadataStore.connect("default", [etcd_endpoint])
    yield store
    store.close()


@pytest.fixture(params=["memory", "etcd"])
def store(request: pytest.FixtureRequest) -> MetadataStore:
    if request.param == "memory":
        return MemoryMetadataStore("default")
    found: EtcdMetadataStore = request.getfixturevalue("etcd")
    return found


@pytest.fixture
def root(etcd_root: str) -> str:
    return f"{etcd_root}/"


def put(store: MetadataStore, key: str, value: bytes = b"x") -> Record:
    assert store.commit(Transaction(puts={key: value}))
    record = store.get(key)
    assert record is not None
    return record


def keys_below(store: MetadataStore, prefix: str) -> list[str]:
    return [record.key for record in store.scan(prefix)]


def test_check_returns_when_the_store_answers(store: MetadataStore) -> None:
    store.check()
    assert store.profile == "default"


def test_what_is_absent_reads_as_nothing(store: MetadataStore, root: str) -> None:
    assert store.get(f"{root}absent") is None
    assert list(store.scan(f"{root}none/")) == []


@pytest.mark.parametrize("value", [b"", b"\x00\xff binary", b"v" * 100_000], ids=["empty", "binary", "long"])
def test_a_value_comes_back_as_it_was_put(store: MetadataStore, root: str, value: bytes) -> None:
    record = put(store, f"{root}a", value)
    assert (record.key, record.value) == (f"{root}a", value)
    assert record.create_revision == record.mod_revision > 0


def test_a_second_put_raises_the_mod_revision_only(store: MetadataStore, root: str) -> None:
    first = put(store, f"{root}a", b"1")
    second = put(store, f"{root}a", b"2")
    assert second.create_revision == first.create_revision
    assert second.mod_revision > first.mod_revision
    assert second.value == b"2"


def test_a_deleted_key_is_created_anew(store: MetadataStore, root: str) -> None:
    first = put(store, f"{root}a")
    assert store.commit(Transaction(deletes=[f"{root}a", f"{root}never there"]))
    assert store.get(f"{root}a") is None
    assert put(store, f"{root}a").create_revision > first.mod_revision


def test_all_puts_of_a_transaction_share_one_revision(store: MetadataStore, root: str) -> None:
    assert store.commit(Transaction(puts={f"{root}{name}": b"" for name in "abc"}))
    assert len({record.mod_revision for record in store.scan(root)}) == 1


def test_a_key_is_created_once(store: MetadataStore, root: str) -> None:
    absent = Guard(f"{root}a", 0)
    assert store.commit(Transaction([absent], {f"{root}a": b"first"}))
    assert not store.commit(Transaction([absent], {f"{root}a": b"second"}))
    record = store.get(f"{root}a")
    assert record is not None
    assert record.value == b"first"


def test_a_guard_on_a_revision_holds_until_the_key_changes(store: MetadataStore, root: str) -> None:
    before = put(store, f"{root}a")
    guard = Guard(f"{root}a", before.mod_revision)
    assert store.commit(Transaction([guard], {f"{root}b": b"1"}))
    put(store, f"{root}a")
    assert not store.commit(Transaction([guard], {f"{root}b": b"2"}))


def test_a_guard_fails_after_the_key_was_deleted_and_created_alike(store: MetadataStore, root: str) -> None:
    guard = Guard(f"{root}a", put(store, f"{root}a", b"same").mod_revision)
    assert store.commit(Transaction(deletes=[f"{root}a"]))
    put(store, f"{root}a", b"same")
    assert not store.commit(Transaction([guard]))


def test_one_failed_guard_of_many_leaves_everything_as_it_was(store: MetadataStore, root: str) -> None:
    here = put(store, f"{root}here")
    put(store, f"{root}kept", b"old")
    before = list(store.scan(root))
    guards = [Guard(f"{root}here", here.mod_revision), Guard(f"{root}kept", here.mod_revision - 1)]
    assert not store.commit(Transaction(guards, {f"{root}new": b""}, [f"{root}kept"]))
    assert list(store.scan(root)) == before


def test_a_transaction_of_guards_alone_answers_and_changes_nothing(store: MetadataStore, root: str) -> None:
    record = put(store, f"{root}a")
    assert store.commit(Transaction([Guard(f"{root}a", record.mod_revision)]))
    assert not store.commit(Transaction([Guard(f"{root}a", 0)]))
    assert store.get(f"{root}a") == record


def test_a_scan_is_in_the_order_of_the_keys_bytes_and_ends_at_the_prefix(
    store: MetadataStore, root: str
) -> None:
    inside = ["s/", "s/1", "s/10", "s/2", "s/a/b", "s/z", "s/é", "s/漢", "s/😀"]
    for name in [*reversed(inside), "s", "s.", "s0", "t/1"]:
        put(store, f"{root}{name}")
    assert keys_below(store, f"{root}s/") == [f"{root}{name}" for name in inside]


def test_a_scan_without_prefix_sees_every_key(store: MetadataStore, root: str) -> None:
    put(store, f"{root}a")
    put(store, f"\x01{root}low")
    put(store, f"\U0010ffff{root}high")
    found = keys_below(store, "")
    assert {f"{root}a", f"\x01{root}low", f"\U0010ffff{root}high"} <= set(found)
    assert found == sorted(found)
    assert store.commit(Transaction(deletes=[f"\x01{root}low", f"\U0010ffff{root}high"]))


def test_a_scan_of_keys_leaves_the_values_out(store: MetadataStore, root: str) -> None:
    record = put(store, f"{root}a", b"value")
    found = list(store.scan(root, keys_only=True))
    assert found == [Record(record.key, b"", record.create_revision, record.mod_revision)]


def test_a_scan_across_pages_yields_each_record_once(store: MetadataStore, root: str) -> None:
    records = {f"{root}{number:05}": str(number).encode() for number in range(2_500)}
    assert store.commit_all([], records.items()) == 2_500
    assert {each.key: each.value for each in store.scan(root)} == records
    assert keys_below(store, root) == sorted(records)


def test_a_scan_shows_the_store_as_it_was_when_the_scan_began(store: MetadataStore, root: str) -> None:
    store.commit_all([], ((f"{root}{number:05}", b"old") for number in range(2_200)))
    scan = store.scan(root)
    found = [next(scan)]
    assert store.commit(
        Transaction(puts={f"{root}02199": b"new", f"{root}99999": b"new"}, deletes=[f"{root}02000"])
    )
    found += scan
    assert [record.key for record in found] == [f"{root}{number:05}" for number in range(2_200)]
    assert {record.value for record in found} == {b"old"}


def test_128_operations_under_a_guard_fit(store: MetadataStore, root: str) -> None:
    puts = {f"{root}{number}": b"" for number in range(100)}
    deletes = [f"{root}gone {number}" for number in range(28)]
    assert store.commit(Transaction([Guard(f"{root}lock", 0)], puts, deletes))
    assert len(keys_below(store, root)) == 100


@pytest.mark.parametrize(("guards", "puts", "deletes"), [(0, 129, 0), (0, 0, 129), (0, 64, 65), (129, 1, 0)])
def test_more_than_128_operations_are_refused_before_anything_happens(
    store: MetadataStore, root: str, guards: int, puts: int, deletes: int
) -> None:
    transaction = Transaction(
        [Guard(f"{root}g{number}", 0) for number in range(guards)],
        {f"{root}p{number}": b"" for number in range(puts)},
        [f"{root}d{number}" for number in range(deletes)],
    )
    with pytest.raises(ValueError, match="129"):
        store.commit(transaction)
    assert keys_below(store, root) == []


def test_a_request_just_below_the_limit_fits_and_one_above_is_refused(
    store: MetadataStore, root: str
) -> None:
    fits = b"v" * (MAX_BYTES - 600 - len(root))
    assert store.commit(Transaction(puts={f"{root}a": fits}))
    with pytest.raises(ValueError, match="bytes"):
        store.commit(Transaction(puts={f"{root}b": b"v" * MAX_BYTES}))
    assert keys_below(store, root) == [f"{root}a"]


def test_records_that_only_their_encoding_makes_too_large_are_split(store: MetadataStore, root: str) -> None:
    share = (MAX_BYTES - 512) // 128 - len(f"{root}000")
    assert store.commit_all([], ((f"{root}{n:03}", b"v" * share) for n in range(128))) == 128
    share -= 24  # what encoding may add
    assert store.commit(Transaction(puts={f"{root}{n:03}": b"w" * share for n in range(128)}))


def test_a_key_cannot_be_both_put_and_deleted(store: MetadataStore, root: str) -> None:
    with pytest.raises(ValueError, match="both puts and deletes"):
        store.commit(Transaction(puts={f"{root}a": b""}, deletes=[f"{root}a"]))


@pytest.mark.parametrize(
    "transaction", [Transaction([Guard("", 0)]), Transaction(puts={"": b""}), Transaction(deletes=[""])]
)
def test_there_is_no_empty_key(store: MetadataStore, transaction: Transaction) -> None:
    with pytest.raises(ValueError, match="empty key"):
        store.commit(transaction)
    with pytest.raises(ValueError, match="empty key"):
        store.get("")


def test_commit_all_splits_by_number(store: MetadataStore, root: str) -> None:
    lock = put(store, f"{root}lock")
    guards = [Guard(lock.key, lock.mod_revision)]
    assert store.commit_all(guards, ((f"{root}k/{number:04}", b"") for number in range(1_000))) == 1_000
    revisions = [record.mod_revision for record in store.scan(f"{root}k/")]
    assert len(revisions) == 1_000
    assert len(set(revisions)) == 8  # 1,000 records, 128 at a time


def test_commit_all_splits_by_size(store: MetadataStore, root: str) -> None:
    assert store.commit_all([], ((f"{root}{name}", b"v" * 1_000_000) for name in "abcde")) == 5
    assert keys_below(store, root) == [f"{root}{name}" for name in "abcde"]


def test_commit_all_refuses_a_record_that_fits_nowhere(store: MetadataStore, root: str) -> None:
    with pytest.raises(ValueError, match=f"{root}large"):
        store.commit_all([], [(f"{root}large", b"v" * MAX_BYTES)])


def test_commit_all_stops_when_the_guard_is_lost_on_the_way(store: MetadataStore, root: str) -> None:
    lock = put(store, f"{root}lock")

    def puts() -> Iterator[tuple[str, bytes]]:
        for number in range(1_000):
            if number == 200:
                put(store, f"{root}lock", b"taken over")
            yield f"{root}k/{number:04}", b""

    assert store.commit_all([Guard(lock.key, lock.mod_revision)], puts()) is None
    assert keys_below(store, f"{root}k/") == [f"{root}k/{number:04}" for number in range(128)]


def test_commit_all_of_nothing_still_asks_the_guards(store: MetadataStore, root: str) -> None:
    assert store.commit_all([Guard(f"{root}lock", 0)], []) == 0
    put(store, f"{root}lock")
    assert store.commit_all([Guard(f"{root}lock", 0)], []) is None


def test_commit_all_keeps_the_last_of_two_values(store: MetadataStore, root: str) -> None:
    assert store.commit_all([], [(f"{root}a", b"1"), (f"{root}b", b""), (f"{root}a", b"2")]) == 3
    record = store.get(f"{root}a")
    assert record is not None
    assert record.value == b"2"


def test_commit_all_refuses_to_write_its_own_guard(store: MetadataStore, root: str) -> None:
    with pytest.raises(ValueError, match="guards these writes"):
        store.commit_all([Guard(f"{root}lock", 0)], [(f"{root}lock", b"")])


def test_of_many_threads_that_create_a_key_one_wins(store: MetadataStore, root: str) -> None:
    start = threading.Barrier(16)

    def create(number: int) -> bool:
        start.wait(timeout=30)
        return store.commit(Transaction([Guard(f"{root}lock", 0)], {f"{root}lock": str(number).encode()}))

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, range(16)))
    assert won.count(True) == 1
    record = store.get(f"{root}lock")
    assert record is not None
    assert record.value == str(won.index(True)).encode()


def test_a_counter_raised_by_many_threads_loses_no_step(store: MetadataStore, root: str) -> None:
    key = f"{root}counter"

    def raise_once() -> None:
        while True:
            record = store.get(key)
            count, revision = (int(record.value), record.mod_revision) if record else (0, 0)
            if store.commit(Transaction([Guard(key, revision)], {key: str(count + 1).encode()})):
                return

    with ThreadPoolExecutor(8) as pool:
        for step in [pool.submit(raise_once) for _ in range(80)]:
            step.result(timeout=60)
    record = store.get(key)
    assert record is not None
    assert record.value == b"80"
