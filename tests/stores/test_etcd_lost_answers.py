"""Connections that break between request and answer: what the store says of it is true."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from restore.errors import StoreUnavailable
from stores.budget import Budget
from stores.etcd import ConnectionFailedError, ConnectionTimeoutError, Etcd3Client, KVMetadata
from stores.etcd_transaction import Text
from stores.metadata import EtcdMetadataStore
from stores.ports import Guard, Transaction
from tests.stores.etcd_server import EtcdServer, connected, eventually, found, running, version
from tests.stores.tcp_proxy import Proxy, proxied


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EtcdServer]:
    with running(EtcdServer(tmp_path)) as started:
        yield started


@pytest.fixture
def proxy(server: EtcdServer) -> Iterator[Proxy]:
    with proxied(server.port) as between:
        yield between


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def direct(server: EtcdServer) -> Iterator[EtcdMetadataStore]:
    with connected(server.address) as store:
        yield store


def lose_the_answer(proxy: Proxy, commit: "Future[bool]", applied: Callable[[], bool]) -> bool:
    eventually(applied, "the transaction is applied behind the proxy")
    assert not commit.done()
    proxy.cut()
    proxy.answers.set()
    return commit.result(timeout=30)


def test_a_creation_whose_answer_is_lost_is_known_to_have_happened(
    server: EtcdServer, proxy: Proxy, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    with connected(proxy.address) as store:
        store.check()
        proxy.answers.clear()
        commit = pool.submit(store.commit, Transaction([Guard("lock", 0)], {"lock": b"mine"}))
        assert lose_the_answer(proxy, commit, lambda: direct.get("lock") is not None)
    assert version(server, "lock") == 1


def test_a_guarded_deletion_whose_answer_is_lost_is_known_to_have_happened(
    proxy: Proxy, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    direct.commit(Transaction(puts={"lock": b"mine"}))
    guard = Guard("lock", found(direct, "lock").mod_revision)
    with connected(proxy.address) as store:
        store.check()
        proxy.answers.clear()
        commit = pool.submit(store.commit, Transaction([guard], {"log": b"released"}, ["lock"]))
        assert lose_the_answer(proxy, commit, lambda: direct.get("lock") is None)


def test_guarded_records_whose_answer_is_lost_are_written(
    proxy: Proxy, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    direct.commit(Transaction(puts={"lock": b"mine"}))
    guards = [Guard("lock", found(direct, "lock").mod_revision)]
    with connected(proxy.address) as store:
        store.check()
        proxy.answers.clear()
        commit = pool.submit(store.commit, Transaction(guards, {"record": b"1"}))
        assert lose_the_answer(proxy, commit, lambda: direct.get("record") is not None)


def test_a_creation_that_never_arrived_is_repeated(
    server: EtcdServer, proxy: Proxy, pool: ThreadPoolExecutor
) -> None:
    with connected(proxy.address) as store:
        store.check()
        proxy.requests.clear()
        commit = pool.submit(store.commit, Transaction([Guard("lock", 0)], {"lock": b"mine"}))
        eventually(lambda: proxy.holds("lock"), "the request is held back")
        proxy.cut()
        proxy.requests.set()
        assert commit.result(timeout=30)
    assert version(server, "lock") == 1


def test_a_creation_that_somebody_else_won_meanwhile_is_false(
    proxy: Proxy, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    with connected(proxy.address) as store:
        store.check()
        proxy.requests.clear()
        commit = pool.submit(store.commit, Transaction([Guard("lock", 0)], {"lock": b"mine"}))
        eventually(lambda: proxy.holds("lock"), "the request is held back")
        assert direct.commit(Transaction([Guard("lock", 0)], {"lock": b"theirs"}))
        proxy.cut()
        proxy.requests.set()
        assert commit.result(timeout=30) is False
    assert found(direct, "lock").value == b"theirs"


def test_a_repeat_whose_other_guard_was_lost_meanwhile_is_false(
    proxy: Proxy, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    with connected(proxy.address) as store:
        store.check()
        proxy.requests.clear()
        guards = [Guard("lock", 0), Guard("epoch", 0)]
        commit = pool.submit(store.commit, Transaction(guards, {"lock": b"mine"}))
        eventually(lambda: proxy.holds("lock"), "the request is held back")
        assert direct.commit(Transaction(puts={"epoch": b"raised"}))
        proxy.cut()
        proxy.requests.set()
        assert commit.result(timeout=30) is False
    assert direct.get("lock") is None


def test_a_request_that_arrives_after_its_repeat_changes_nothing(
    server: EtcdServer, proxy: Proxy, pool: ThreadPoolExecutor
) -> None:
    with connected(proxy.address, server.address, timeout=0.5) as store:
        store.check()
        proxy.requests.clear()
        commit = pool.submit(store.commit, Transaction([Guard("lock", 0)], {"lock": b"mine"}))
        assert commit.result(timeout=30)
        assert proxy.holds("lock")
        proxy.requests.set()
        store.check()
    assert version(server, "lock") == 1


class _Overtaken(Etcd3Client):
    """A client whose lost request arrives just after it has looked for its effect."""

    late: Callable[[], object] | None = None

    def get(self, key: Text, budget: Budget | None = None) -> tuple[bytes | None, KVMetadata | None]:
        answer = super().get(key, budget)
        late = self.late
        if late and key == "lock":
            self.late = None
            late()
        return answer


def test_a_request_that_arrives_before_its_repeat_is_known_to_be_ours(
    server: EtcdServer, proxy: Proxy, direct: EtcdMetadataStore
) -> None:
    endpoints = (proxy.address, server.address)
    wanted = Transaction([Guard("lock", 0)], {"lock": b"mine"})
    with _Overtaken(endpoints, timeout=0.5) as client:
        store = EtcdMetadataStore("default", client, endpoints)
        store.check()
        client.late = lambda: direct.commit(wanted)
        proxy.requests.clear()
        assert store.commit(wanted)
    assert version(server, "lock") == 1


def test_an_undecided_transaction_says_so(proxy: Proxy, pool: ThreadPoolExecutor) -> None:
    with connected(proxy.address, timeout=0.2, patience=0.5) as store:
        store.check()
        proxy.answers.clear()
        with pytest.raises(StoreUnavailable, match=r"Txn of 'lock'.*not known whether it took effect"):
            store.commit(Transaction([Guard("lock", 0)], {"lock": b"mine"}))


def test_a_plain_put_whose_answer_is_lost_is_not_repeated(
    server: EtcdServer, proxy: Proxy, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    with Etcd3Client([proxy.address], timeout=0.3, patience=2) as client:
        client.status()
        proxy.answers.clear()
        with pytest.raises(ConnectionTimeoutError) as late:
            client.put("key", "1")
        eventually(lambda: direct.get("key") is not None, "the put is applied")
        put = pool.submit(client.put, "other", "1")
        eventually(lambda: direct.get("other") is not None, "the put is applied")
        proxy.cut()
        with pytest.raises((ConnectionFailedError, ConnectionTimeoutError)) as broken:
            put.result(timeout=30)
    assert late.value.maybe_applied
    assert broken.value.maybe_applied
    assert (version(server, "key"), version(server, "other")) == (1, 1)


def moved(workers: "list[Future[list[int]]]", server: EtcdServer, before: int) -> bool:
    return version(server, "counter") > before + 5 or all(worker.done() for worker in workers)


def claim(store: EtcdMetadataStore, worker: int) -> list[int]:
    """Return 25 counts of a shared counter, each raised by this worker."""
    claimed: list[int] = []
    while len(claimed) < 25:
        record = store.get("counter")
        count, revision = (int(record.value.split()[0]), record.mod_revision) if record else (0, 0)
        value = f"{count + 1} {worker}".encode()
        if store.commit(Transaction([Guard("counter", revision)], {"counter": value})):
            claimed.append(count + 1)
    return claimed


def test_under_breaking_connections_no_two_threads_get_the_same_count(
    server: EtcdServer, proxy: Proxy, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    with connected(proxy.address) as store:
        workers = [pool.submit(claim, store, worker) for worker in range(6)]
        cuts = 0
        while not all(worker.done() for worker in workers):
            raised = version(server, "counter")
            eventually(partial(moved, workers, server, raised), "the counter is raised, or all are done")
            proxy.cut()
            cuts += 1
        claims = [count for worker in workers for count in worker.result(timeout=60)]
    assert cuts > 3
    assert len(claims) == len(set(claims)) == 150
    assert int(found(direct, "counter").value.split()[0]) >= 150
