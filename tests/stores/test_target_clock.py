import time
from collections.abc import Iterator

import pytest

from formats.errors import UnsupportedFormat
from formats.keys import MetaKeys
from stores.metadata import EtcdMetadataStore
from stores.ports import Transaction
from stores.target_clock import TargetClock
from tests.stores.id_server import register

HOUR = 3_600_000
WORKER = "the worker's clock"


@pytest.fixture
def keys(etcd_root: str) -> MetaKeys:
    return MetaKeys(etcd_root, "meta")


@pytest.fixture
def store(etcd_endpoint: str) -> Iterator[EtcdMetadataStore]:
    opened = EtcdMetadataStore.connect("default", [etcd_endpoint])
    yield opened
    opened.close()


def here() -> int:
    return time.time_ns() // 1_000_000


def mark(store: EtcdMetadataStore, keys: MetaKeys, milliseconds: int) -> None:
    value = (milliseconds * 1_000_000 + 999_999).to_bytes(8, "big")
    assert store.commit(Transaction(puts={keys.timestamp: value}))


def test_a_cluster_that_never_ran_has_the_workers_clock(store: EtcdMetadataStore, keys: MetaKeys) -> None:
    before = here()

    clock = TargetClock(store, keys).read()

    assert clock.source == WORKER
    assert before <= clock.milliseconds <= here()


@pytest.mark.parametrize("offset", [-HOUR, HOUR])
def test_a_running_coordinators_mark_is_its_clock_whatever_ours_says(
    store: EtcdMetadataStore, keys: MetaKeys, offset: int
) -> None:
    register(store, keys, "milvus:53100")
    then = here() + offset
    mark(store, keys, then)

    clock = TargetClock(store, keys).read()

    assert (clock.milliseconds, clock.source) == (then, keys.timestamp)


def test_the_mark_of_a_stopped_coordinator_stands_still_while_time_goes_on(
    store: EtcdMetadataStore, keys: MetaKeys
) -> None:
    mark(store, keys, here() - HOUR)

    clock = TargetClock(store, keys).read()

    assert clock.source == WORKER
    assert clock.milliseconds >= here() - 1_000


def test_a_stopped_coordinator_never_starts_below_its_mark(store: EtcdMetadataStore, keys: MetaKeys) -> None:
    then = here() + HOUR
    mark(store, keys, then)

    assert TargetClock(store, keys).read().milliseconds == then


def test_a_mark_as_milvus_2_3_5_wrote_it_is_read(store: EtcdMetadataStore, keys: MetaKeys) -> None:
    register(store, keys, "milvus:53100")
    assert store.commit(Transaction(puts={keys.timestamp: bytes.fromhex("18ea633d56cf9858")}))

    assert TargetClock(store, keys).read().milliseconds == 1_795_356_516_561


@pytest.mark.parametrize("value", [b"", b"1767225600", bytes(7), bytes(9)])
def test_a_mark_of_another_form_is_named(store: EtcdMetadataStore, keys: MetaKeys, value: bytes) -> None:
    assert store.commit(Transaction(puts={keys.timestamp: value}))

    with pytest.raises(UnsupportedFormat, match=keys.timestamp):
        TargetClock(store, keys).read()
