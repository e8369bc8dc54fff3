"""A whole restore while the leader of a three-member etcd is moved and killed again and again."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from samples.shape import SampleShape
from stores.etcd import Etcd3Client
from tests.e2e.site import Site, opened
from tests.faults.chronicle import events, wrong_publishing
from tests.stores.etcd_cluster import EtcdCluster, cluster

SHAPE = SampleShape(segments=4, partitions=2, megabytes=0.12, dim=8)


@pytest.fixture
def etcd(tmp_path: Path) -> Iterator[EtcdCluster]:
    with cluster(tmp_path) as running:
        yield running


@pytest.fixture
def site(servers: dict[str, str], etcd: EtcdCluster, tmp_path: Path) -> Iterator[Site]:
    with opened(servers | {"RESTORE_ETCD_ENDPOINTS": ",".join(etcd.endpoints)}, tmp_path) as running:
        yield running


def unsettle(etcd: EtcdCluster, stop: threading.Event) -> int:
    """Move and kill leaders by turns; return how often."""
    changes = 0
    while not stop.is_set():
        etcd.move_leader() if changes % 2 else etcd.lose_leader()
        changes += 1
    return changes


@pytest.mark.timeout(300)
def test_a_restore_ends_as_if_nothing_had_happened(site: Site, etcd: EtcdCluster) -> None:
    written, target = site.deployment.sample(SHAPE), site.target(SHAPE)
    leads = {"RESTORE_ETCD_ENDPOINTS": ",".join(etcd.endpoints)}
    with Etcd3Client(etcd.endpoints) as client:
        begun = client.put("the-test/begins", "").header.revision
    stop = threading.Event()

    with ThreadPoolExecutor() as pool:
        unsettling = pool.submit(unsettle, etcd, stop)
        try:
            told = site.commands.execute({"snapshot": written.uri, "target": target.name})
        finally:
            stop.set()

    assert told.status == "COMPLETED", told.message
    assert unsettling.result() >= 2
    site.assert_proved(written, target)
    happened = events(leads, site.deployment.etcd_root, begun)
    assert wrong_publishing(happened, target.collection, completed=True) == []
