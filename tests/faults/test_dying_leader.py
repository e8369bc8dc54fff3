"""The leader of etcd applies a transaction and dies before it can say so: no doubt is left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import grpc
import pytest

from formats.keys import MetaKeys
from restore.reservation import Owner
from stores.etcd import Etcd3Client
from stores.ids import FIRST, IdAllocator
from stores.metadata import EtcdMetadataStore
from stores.ports import Guard
from stores.reservations import Reservations
from tests.faults.etcd_proxy import CUT, Refusal, Server, proxied_etcd
from tests.stores.etcd_cluster import EtcdCluster, cluster
from tests.stores.etcd_server import EtcdServer, connected

COLLECTION = 444
OWNER = Owner(
    job_id="1",
    workflow_id="restore/default/t",
    state="active",
    since="2026-01-01T00:00:00+00:00",
    fingerprint="f",
)
Deed = Callable[[EtcdMetadataStore], object]
Prepared = Callable[[EtcdMetadataStore, MetaKeys], tuple[Deed, str]]


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdCluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
def store(etcd: EtcdCluster) -> Iterator[EtcdMetadataStore]:
    with connected(*etcd.endpoints) as store:
        yield store


@contextmanager
def dying(leader: EtcdServer) -> Iterator[str]:
    """The address of a leader that applies one transaction, gets SIGKILL and answers nothing."""

    def let(method: str, request: bytes, server: Server) -> bytes:
        answer = server()
        if method.endswith("/Txn"):
            leader.kill()
            raise CUT
        return answer

    with proxied_etcd(grpc.insecure_channel(leader.address), let) as proxy:
        yield proxy.address


def reserving(store: EtcdMetadataStore, keys: MetaKeys) -> tuple[Deed, str]:
    """With the first record of its job."""
    job = f"{keys.root_path}/job"
    return lambda through: Reservations(through, keys).take(COLLECTION, OWNER, {job: b"new"}) > 0, job


def beginning_to_publish(store: EtcdMetadataStore, keys: MetaKeys) -> tuple[Deed, str]:
    """Which raises the epoch."""
    job, epoch = f"{keys.root_path}/job", _reserved(store, keys)

    def change(through: EtcdMetadataStore) -> bool:
        puts = {job: b"shown"}
        return Reservations(through, keys).change(COLLECTION, OWNER.job_id, epoch, "publishing", puts) > epoch

    return change, job


def completing(store: EtcdMetadataStore, keys: MetaKeys) -> tuple[Deed, str]:
    """Which frees the target."""
    job, epoch = f"{keys.root_path}/job", _reserved(store, keys)
    return lambda through: Reservations(through, keys).release(COLLECTION, epoch, {job: b"done"}), job


def counting(store: EtcdMetadataStore, keys: MetaKeys) -> tuple[Deed, str]:
    """Ids, of which none may be given twice."""
    return lambda through: IdAllocator(through, keys).allocate(1) == [FIRST], keys.id_counter


def _reserved(store: EtcdMetadataStore, keys: MetaKeys) -> int:
    return Reservations(store, keys).take(COLLECTION, OWNER, {})


@pytest.mark.parametrize("prepared", [reserving, beginning_to_publish, completing, counting])
def test_what_it_applied_is_known_and_not_done_again(
    etcd: EtcdCluster, store: EtcdMetadataStore, etcd_root: str, prepared: Prepared
) -> None:
    deed, written = prepared(store, MetaKeys(etcd_root, "meta"))
    leader = etcd.leader()
    others = [each.address for each in etcd.members if each is not leader]

    with dying(leader) as address, connected(address, *others) as through:
        assert deed(through) is True
    leader.start()

    with Etcd3Client(etcd.endpoints) as client:
        metadata = client.get(written)[1]
    assert metadata
    assert metadata.version == 1


def test_records_under_a_guard_are_written(
    etcd: EtcdCluster, store: EtcdMetadataStore, etcd_root: str
) -> None:
    keys, leader = MetaKeys(etcd_root, "meta"), etcd.leader()
    guard = Guard(keys.reservation(COLLECTION), _reserved(store, keys))
    records = {f"{etcd_root}/staged/{number}": b"v" for number in range(9)}
    others = [each.address for each in etcd.members if each is not leader]

    with dying(leader) as address, connected(address, *others) as through:
        assert through.commit_all([guard], records.items()) == len(records)
    leader.start()

    assert {each.key: each.value for each in store.scan(f"{etcd_root}/staged/")} == records


def test_what_a_member_drops_while_the_lead_passes_on_is_asked_for_again(etcd: EtcdCluster) -> None:
    drops = iter([Refusal(grpc.StatusCode.UNKNOWN, "raft proposal dropped")])  # etcd's own words and code

    def let(_method: str, _request: bytes, server: Server) -> bytes:
        for drop in drops:
            raise drop
        return server()

    channel = grpc.insecure_channel(etcd.endpoints[0])
    with proxied_etcd(channel, let) as proxy, Etcd3Client([proxy.address]) as client:
        client.put("dropped", "once")
        metadata = client.get("dropped")[1]
    assert metadata
    assert metadata.version == 1
