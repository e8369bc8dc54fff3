"""A cluster's leader is moved or killed while transactions go on: none is lost, none done twice."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from formats.keys import MetaKeys
from restore.reservation import Owner
from stores.ids import FIRST, IdAllocator
from stores.metadata import EtcdMetadataStore
from stores.ports import Transaction
from stores.reservations import Reservations
from tests.stores.etcd_cluster import EtcdCluster, cluster
from tests.stores.etcd_server import connected

COLLECTION = 440
CHANGES = 4
"""Of the leader, while others write."""

PATIENCE = 60.0
"""Seconds; what a follower has passed to a dying leader is answered by nobody, and is asked for again."""

RECORDS = 300
"""Written at once, in three transactions."""

OWNER = Owner(
    job_id="1",
    workflow_id="restore/default/t",
    state="active",
    since="2026-01-01T00:00:00+00:00",
    fingerprint="f",
)


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdCluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def stores(etcd: EtcdCluster) -> Iterator[list[EtcdMetadataStore]]:
    """Of which each asks another member first."""
    ends = etcd.endpoints
    with ExitStack() as stack:
        turned = [connected(*ends[n:], *ends[:n], patience=PATIENCE) for n in range(len(ends))]
        yield [stack.enter_context(each) for each in turned]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def keys(etcd_root: str) -> MetaKeys:
    return MetaKeys(etcd_root, "meta")


class Restores:
    """What restores do with etcd, in a cluster whose leader changes, until they are told to stop."""

    def __init__(self, keys: MetaKeys) -> None:
        self.stop = threading.Event()
        self._keys = keys

    def number(self, store: EtcdMetadataStore) -> list[int]:
        """Take ids one by one; return them."""
        taken: list[int] = []
        while not self.stop.is_set():
            taken += IdAllocator(store, self._keys).allocate(1)
        return taken

    def own(self, store: EtcdMetadataStore, collection: int) -> int:
        """Reserve a collection, write many records under it, publish and release; return how often."""
        reservations, rounds = Reservations(store, self._keys), 0
        folder = self._keys.segments(collection)
        job = f"{folder}job"
        while not self.stop.is_set():
            rounds += 1
            records = {f"{folder}{rounds}/{n}": b"v" for n in range(RECORDS)}
            assert store.commit(Transaction([], {}, [job]))
            epoch = reservations.take(collection, OWNER, {job: b"begun"})
            guard = reservations.guard(collection, epoch)
            assert store.commit_all([guard], records.items()) == RECORDS
            publishing = reservations.change(collection, OWNER.job_id, epoch, "publishing", {job: b"shown"})
            assert publishing > epoch
            assert store.commit_all([guard], records.items()) is None  # the old epoch is over
            assert reservations.release(collection, publishing, {job: b"done"})
            found = {each.key: each.value for each in store.scan(folder)}
            assert records.items() <= found.items()
            assert found[job] == b"done"
        return rounds


@pytest.mark.parametrize(
    "change", [EtcdCluster.move_leader, EtcdCluster.lose_leader], ids=["moved", "killed"]
)
def test_nothing_is_lost_or_done_twice_while_leaders_change(
    etcd: EtcdCluster,
    stores: list[EtcdMetadataStore],
    keys: MetaKeys,
    pool: ThreadPoolExecutor,
    change: Callable[[EtcdCluster], None],
) -> None:
    restores = Restores(keys)
    counting = [pool.submit(restores.number, store) for store in stores]
    owning = [pool.submit(restores.own, store, COLLECTION + n) for n, store in enumerate(stores)]

    try:
        for _ in range(CHANGES):
            change(etcd)
    finally:
        restores.stop.set()

    ids = [taken for each in counting for taken in each.result(PATIENCE)]
    assert sorted(ids) == list(range(FIRST, FIRST + len(ids)))
    for number, rounds in enumerate(each.result(PATIENCE) for each in owning):
        assert rounds
        left = list(stores[0].scan(keys.segments(COLLECTION + number), keys_only=True))
        assert len(left) == rounds * RECORDS + 1
        assert Reservations(stores[0], keys).look(COLLECTION + number) is None
