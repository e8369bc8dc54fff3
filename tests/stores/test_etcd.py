"""The etcd client, in the words of etcd3."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from restore.errors import AccessDenied, StoreUnavailable
from stores.etcd import DeleteEvent, Etcd3Client, PutEvent, RevisionCompactedError
from stores.etcd_errors import Etcd3Exception, InvalidRequestError
from stores.etcd_transaction import prefix_end
from stores.metadata import EtcdMetadataStore
from stores.ports import Transaction
from tests.stores.etcd_server import EtcdServer, eventually, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdServer]:
    with running(EtcdServer(tmp_path_factory.mktemp("etcd"))) as started:
        yield started


@pytest.fixture
def client(server: EtcdServer) -> Iterator[Etcd3Client]:
    with Etcd3Client([server.address]) as connected:
        yield connected
    server.ctl("del", "", "--prefix")


@pytest.fixture
def store(client: Etcd3Client, server: EtcdServer) -> EtcdMetadataStore:
    return EtcdMetadataStore("default", client, [server.address])


def revision(client: Etcd3Client) -> int:
    return client.put("revision", "").header.revision


def test_etcdctl_reads_what_the_client_wrote(server: EtcdServer, client: Etcd3Client) -> None:
    client.put("key", "wert ü")
    assert server.ctl("get", "key").splitlines() == ["key", "wert ü"]


def test_get_returns_value_and_metadata(client: Etcd3Client) -> None:
    assert client.get("key") == (None, None)
    client.put("key", b"1")
    client.put("key", b"2")
    value, metadata = client.get("key")
    assert metadata is not None
    assert (value, metadata.key, metadata.version, metadata.lease_id) == (b"2", b"key", 2, 0)
    assert metadata.mod_revision == metadata.create_revision + 1


def test_delete_says_whether_there_was_something(client: Etcd3Client) -> None:
    client.put("key", "")
    assert client.delete("key")
    assert not client.delete("key")


def test_keys_that_are_not_utf_8_survive(client: Etcd3Client, store: EtcdMetadataStore) -> None:
    client.put(b"raw/\xff\xfe", b"1")
    client.put(b"raw/\xff\xff", b"2")
    keys = [record.key for record in store.scan("raw/")]
    assert store.commit(Transaction(puts=dict.fromkeys(keys, b"3")))
    assert [(each[1].key, each[0]) for each in client.get_prefix(b"raw/\xff")] == [
        (b"raw/\xff\xfe", b"3"),
        (b"raw/\xff\xff", b"3"),
    ]


@pytest.mark.parametrize(
    ("prefix", "end"), [(b"a/", b"a0"), (b"a\xff", b"b"), (b"\xff\xff", b"\0"), (b"", b"\0")]
)
def test_a_prefix_ends_before_the_next_one(prefix: bytes, end: bytes) -> None:
    assert prefix_end(prefix) == end


def test_a_transaction_takes_the_branch_that_its_conditions_choose(client: Etcd3Client) -> None:
    client.put("key", "1")
    metadata = client.get("key")[1]
    assert metadata is not None
    on = client.transactions
    conditions = [
        on.value("key") == "1",
        on.version("key") > 0,
        on.version("key") < 2,
        on.create("key") != 0,
        on.mod("key") == metadata.mod_revision,
    ]
    assert client.transaction(conditions, [on.put("key", "2"), on.get("key")])[0]
    held, responses = client.transaction(conditions, [], [on.put("key", "3"), on.delete("absent")])
    assert not held
    assert len(responses) == 2
    assert client.get("key")[0] == b"3"


def test_what_etcd_itself_refuses_is_an_error_of_its_own(client: Etcd3Client) -> None:
    on = client.transactions
    with pytest.raises(InvalidRequestError, match=r"Txn at .*too many operations"):
        client.transaction([], [on.put(str(number), "") for number in range(129)])
    with pytest.raises(InvalidRequestError, match="too large"):
        client.put("key", b"v" * 1_572_864)


def test_a_server_with_lower_limits_refuses_permanently(tmp_path: Path) -> None:
    with running(EtcdServer(tmp_path, "--max-txn-ops", "4")) as small:
        store = EtcdMetadataStore.connect("default", [small.address])
        with pytest.raises(AccessDenied, match=r"Txn of '0' and 4 more keys.*too many operations"):
            store.commit(Transaction(puts={str(number): b"" for number in range(5)}))
        store.close()


def test_a_full_database_is_unavailable_and_says_why(tmp_path: Path) -> None:
    with running(EtcdServer(tmp_path, "--quota-backend-bytes", "100000")) as full:
        store = EtcdMetadataStore("default", Etcd3Client([full.address], patience=1), [full.address])
        with pytest.raises(StoreUnavailable, match="database space exceeded"):
            store.commit(Transaction(puts={"a": b"v" * 1_000_000}))
        store.close()


def test_of_many_threads_in_a_race_one_wins(client: Etcd3Client) -> None:
    start = threading.Barrier(16)
    on = client.transactions

    def create(number: int) -> bool:
        start.wait(timeout=30)
        return client.transaction([on.create("lock") == 0], [on.put("lock", str(number))])[0]

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, range(16)))
    assert won.count(True) == 1
    assert client.get("lock")[0] == str(won.index(True)).encode()


def test_a_scan_survives_writes_and_compaction(client: Etcd3Client, store: EtcdMetadataStore) -> None:
    keys = [f"k/{number:05}" for number in range(5_000)]
    assert store.commit_all([], ((key, b"") for key in keys)) == 5_000
    found: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            client.put("k/00000", "again")
            client.put(f"k/{threading.get_ident()}", "new, behind all others")

    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(write) for _ in range(2)]
        for record in store.scan("k/"):
            found.append(record.key)
            if len(found) % 1_000 == 500:
                client.compact(revision(client), physical=True)
        stop.set()
        for writer in writers:
            writer.result(timeout=30)
    assert [key for key in found if key in set(keys)] == keys
    assert len(found) == len(set(found))


def test_a_scan_that_is_compacted_again_and_again_gives_up(
    client: Etcd3Client, store: EtcdMetadataStore
) -> None:
    assert store.commit_all([], ((f"k/{number:05}", b"") for number in range(8_000))) == 8_000

    def compact_on_every_page() -> None:
        for number, _ in enumerate(store.scan("k/")):
            if number % 1_000 == 500:
                client.compact(revision(client))

    with pytest.raises(StoreUnavailable, match=r"Range of 'k/'.*compacted"):
        compact_on_every_page()


def test_a_lease_takes_its_keys_with_it(client: Etcd3Client) -> None:
    lease = client.lease(60)
    client.put("key", "1", lease)
    metadata = client.get("key")[1]
    assert metadata is not None
    assert metadata.lease_id == lease.id
    assert lease.refresh() == 60
    lease.revoke()
    assert client.get("key") == (None, None)
    assert lease.refresh() == 0


def test_a_lease_that_nobody_refreshes_ends(client: Etcd3Client) -> None:
    client.put("key", "1", client.lease(1))
    eventually(lambda: client.get("key") == (None, None), "the lease ends")


def test_a_watch_tells_every_change_in_order(client: Etcd3Client) -> None:
    client.put("w/before", "")
    events, cancel = client.watch_prefix("w/")
    client.put("w/a", "1")
    client.put("elsewhere", "")
    client.put("w/a", "2")
    client.delete("w/a")
    first, second, third = next(events), next(events), next(events)
    cancel()
    assert isinstance(first, PutEvent)
    assert isinstance(second, PutEvent)
    assert isinstance(third, DeleteEvent)
    assert (first.key, first.value, first.version) == (b"w/a", b"1", 1)
    assert (second.value, second.version, second.create_revision) == (b"2", 2, first.mod_revision)
    assert third.mod_revision > second.mod_revision


def test_a_watch_from_a_revision_begins_there(client: Etcd3Client) -> None:
    begin = client.put("w", "1").header.revision
    client.put("w", "2")
    events, cancel = client.watch("w", begin)
    values = [event.value for event in (next(events), next(events)) if isinstance(event, PutEvent)]
    cancel()
    assert values == [b"1", b"2"]


def test_a_watch_from_a_compacted_revision_says_so(client: Etcd3Client) -> None:
    begin = client.put("w", "1").header.revision
    oldest = revision(client)
    client.compact(oldest)
    events, cancel = client.watch("w", begin)
    with pytest.raises(RevisionCompactedError) as error:
        next(events)
    cancel()
    assert error.value.compacted_revision == oldest


def test_a_cancelled_watch_ends_in_the_thread_that_waits(client: Etcd3Client) -> None:
    events, cancel = client.watch("w")
    with ThreadPoolExecutor(1) as pool:
        client.put("w", "")
        next(events)
        rest = pool.submit(list, events)
        cancel()
        assert rest.result(timeout=30) == []


def test_status_tells_version_and_size(client: Etcd3Client) -> None:
    status = client.status()
    assert status.version.startswith("3.")
    assert status.db_size > 0
    assert status.leader != 0


def test_a_closed_client_fails_at_once(server: EtcdServer) -> None:
    client = Etcd3Client([server.address])
    client.put("key", "")
    client.close()
    with pytest.raises((Etcd3Exception, ValueError)):
        client.get("key")
