from collections.abc import Iterator

import pytest

from formats.keys import MetaKeys
from restore.profiles import EtcdSettings, MilvusSettings, Profile
from restore.settings import Settings
from stores.clients import Clients
from stores.ids import FIRST
from tests.stores.id_server import FIRST_ID, IdServer, register, serving


@pytest.fixture
def server() -> Iterator[IdServer]:
    with serving() as running:
        yield running


@pytest.fixture
def clients(etcd_endpoint: str, etcd_root: str) -> Iterator[Clients]:
    """Two profiles of one cluster, of which only `online` has a Milvus address."""
    etcd = EtcdSettings(endpoints=(etcd_endpoint,), root_path=etcd_root)
    profiles = (
        Profile(name="online", etcd=etcd, milvus=MilvusSettings(address="milvus:19530")),
        Profile(name="default", etcd=etcd),
    )
    made = Clients(Settings(task_queue="q", profiles={each.name: each for each in profiles}))
    yield made
    made.close()


def free(first: int, last: int) -> list[int]:
    return []


def test_with_a_milvus_address_ids_come_from_the_coordinator(
    clients: Clients, server: IdServer, etcd_root: str
) -> None:
    register(clients.metadata("online"), MetaKeys(etcd_root, "meta"), server.address)

    assert clients.ids("online", free).allocate(2) == [FIRST_ID, FIRST_ID + 1]
    assert clients.metadata("online").get(clients.keys("online").id_counter) is None


def test_without_one_ids_come_from_our_counter_although_a_coordinator_runs(
    clients: Clients, server: IdServer, etcd_root: str
) -> None:
    register(clients.metadata("default"), MetaKeys(etcd_root, "meta"), server.address)

    assert clients.root_coord("default") is None
    assert clients.ids("default", free).allocate(2) == [FIRST, FIRST + 1]
    assert server.calls == 0


def test_ids_that_exist_are_passed_over_whatever_their_source(
    clients: Clients, server: IdServer, etcd_root: str
) -> None:
    register(clients.metadata("online"), MetaKeys(etcd_root, "meta"), server.address)

    def taken(first: int, last: int) -> list[int]:
        return [each for each in (FIRST, FIRST_ID) if first <= each <= last]

    assert clients.ids("online", taken).allocate(1) == [FIRST_ID + 1]
    assert clients.ids("default", taken).allocate(1) == [FIRST + 1]
