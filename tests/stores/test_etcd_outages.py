"""What a dead, silent, restarting or forgetful server does to the metadata store: nothing lasting."""

import socket
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from restore.errors import AccessDenied, StoreUnavailable
from starter.port import pick
from stores.etcd import Etcd3Client, PutEvent
from stores.metadata import EtcdMetadataStore
from stores.ports import Guard, Record, Transaction
from tests.stores.etcd_server import EtcdServer, connected, found, running, version


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EtcdServer]:
    with running(EtcdServer(tmp_path)) as started:
        yield started


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def direct(server: EtcdServer) -> Iterator[EtcdMetadataStore]:
    with connected(server.address) as store:
        yield store


@pytest.fixture
def silent() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    return f"127.0.0.1:{pick(['nobody'])['nobody']}"


def test_a_closed_port_is_named_with_its_setting_within_4_seconds(closed: str) -> None:
    begun = time.monotonic()
    store = EtcdMetadataStore.connect("default", [closed])
    with pytest.raises(AccessDenied, match=f"cannot be reached at {closed}.*RESTORE_ETCD_ENDPOINTS"):
        store.check()
    assert time.monotonic() - begun < 8
    store.close()


def test_a_silent_server_is_named_with_its_setting_within_4_seconds(silent: str) -> None:
    begun = time.monotonic()
    store = EtcdMetadataStore.connect("backup", [silent], user="me", password="s3cret")
    with pytest.raises(AccessDenied, match=f"cannot be reached at {silent}.*RESTORE_ETCD_ENDPOINTS") as error:
        store.check()
    assert time.monotonic() - begun < 8
    assert "profiles.backup.etcd" in str(error.value)
    assert "s3cret" not in "".join(traceback.format_exception(error.value))
    store.close()


def test_a_name_that_does_not_resolve_is_named_within_4_seconds() -> None:
    begun = time.monotonic()
    store = EtcdMetadataStore.connect("default", ["etcd.invalid:2379"])
    with pytest.raises(AccessDenied, match=r"cannot be reached at etcd\.invalid:2379"):
        store.check()
    assert time.monotonic() - begun < 8
    store.close()


def test_a_closed_port_is_unavailable_once_patience_is_over(closed: str) -> None:
    with connected(closed, patience=0.5) as store:
        with pytest.raises(StoreUnavailable, match=rf"Range of 'a' at {closed} \(profile 'default'\)"):
            store.get("a")
        with pytest.raises(StoreUnavailable, match=f"Txn of 'a' and 1 more keys at {closed}") as error:
            store.commit(Transaction([Guard("a", 0)], {"a": b""}))
    assert "not known" not in str(error.value)  # it surely had no effect


def test_a_silent_server_is_unavailable_once_patience_is_over(silent: str) -> None:
    with connected(silent, timeout=0.2, patience=0.5) as store, pytest.raises(StoreUnavailable):
        list(store.scan("a"))


def test_a_dead_endpoint_is_passed_over(closed: str, server: EtcdServer) -> None:
    begun = time.monotonic()
    with connected(closed, server.address) as store:
        store.check()
        assert store.commit(Transaction([Guard("a", 0)], {"a": b"1"}))
        assert found(store, "a").value == b"1"
    assert time.monotonic() - begun < 3


def test_a_silent_endpoint_is_passed_over(silent: str, server: EtcdServer) -> None:
    with connected(silent, server.address, timeout=0.5) as store:
        store.check()
        assert store.commit(Transaction([Guard("a", 0)], {"a": b"1"}))
        assert found(store, "a").value == b"1"


def test_what_is_asked_during_an_outage_succeeds_after_it(
    server: EtcdServer, direct: EtcdMetadataStore, pool: ThreadPoolExecutor
) -> None:
    assert direct.commit(Transaction(puts={"before": b"1"}))
    client = Etcd3Client([server.address])
    client.put("warm", "up")
    server.kill()
    asked: list[Future[object]] = [
        pool.submit(client.put, "put", "during"),
        pool.submit(direct.commit, Transaction([Guard("created", 0)], {"created": b"1"})),
        pool.submit(direct.get, "before"),
        pool.submit(lambda: [each.key for each in direct.scan("before")]),
    ]
    server.start()
    _, committed, before, scanned = (each.result(timeout=30) for each in asked)
    client.close()
    assert committed is True
    assert isinstance(before, Record)
    assert before.value == b"1"
    assert scanned == ["before"]
    assert found(direct, "put").value == b"during"
    assert version(server, "created") == 1


def test_a_watch_goes_on_after_a_restart_without_a_gap(server: EtcdServer) -> None:
    with Etcd3Client([server.address]) as client:
        events, cancel = client.watch_prefix("w/")
        client.put("w/1", "")
        assert next(events).key == b"w/1"
        server.kill()
        server.start()
        client.put("w/2", "")
        client.put("w/3", "")
        after = [next(events), next(events)]
        cancel()
        assert [event.key for event in after] == [b"w/2", b"w/3"]
        assert all(isinstance(event, PutEvent) for event in after)
        assert list(events) == []
