"""The stores themselves are killed in the middle of a restore, and come back."""

import os
import signal
from collections.abc import Iterator

import pytest

from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from starter.stack import Stack
from tests.e2e.slow_site import SlowSite, slow_site
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An etcd and an S3 server of this module's own."""
    running = Stack(tmp_path_factory.mktemp("stores"), bound=True)
    try:
        running.up(temporal=False)
        yield running
    finally:
        running.down()


@pytest.fixture(scope="module")
def slow(
    stores: Stack, servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SlowSite]:
    """A worker that works on these stores."""
    with slow_site(servers | stores.settings(), tmp_path_factory.mktemp("slow")) as running:
        yield running


@pytest.fixture(scope="module")
def written(slow: SlowSite) -> WrittenSample:
    return slow.site.deployment.sample(SampleShape(segments=4, megabytes=1.2))


def kill(stores: Stack, name: str) -> None:
    """End a server with SIGKILL; return when it is gone."""
    (pid,) = [each.pid for each in stores.status() if each.name == name]
    assert pid
    os.killpg(pid, signal.SIGKILL)
    eventually(lambda: is_down(stores, name), f"{name} is gone")


def is_down(stores: Stack, name: str) -> bool:
    return all(each.pid is None for each in stores.status() if each.name == name)


def pending(slow: SlowSite, workflow_id: str) -> list[str]:
    """The activities that run or wait for their next attempt."""
    activities = slow.site.commands.describe(workflow_id).get("pendingActivities", [])
    return [each["activityType"]["name"] for each in activities]


def test_a_restore_sits_out_a_killed_s3_server(
    slow: SlowSite, stores: Stack, written: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(written.shape)
    workflow_id = site.commands.begin({"snapshot": written.uri, "target": target.name})
    slow.half_copied(valve, 60)

    kill(stores, "s3")
    known = len(slow.s3.requests)
    valve.open()
    eventually(lambda: len(slow.s3.requests) > known + 40, "copies are tried again and again")
    stores.up(temporal=False)

    told = site.commands.outcome(workflow_id)
    assert told.status == "COMPLETED", told.message
    site.assert_proved(written, target)


def test_a_restore_sits_out_a_killed_etcd(
    slow: SlowSite, stores: Stack, written: WrittenSample, valve: Valve
) -> None:
    site, target = slow.site, slow.site.target(written.shape)
    workflow_id = site.commands.begin({"snapshot": written.uri, "target": target.name})
    slow.half_copied(valve, 60)
    task = f"restore/default/{target.name}/task-0"

    kill(stores, "etcd")
    valve.open()
    eventually(lambda: pending(slow, task) == ["update_binlogs"], "etcd is needed")
    stores.up(temporal=False)

    told = site.commands.outcome(workflow_id)
    assert told.status == "COMPLETED", told.message
    site.assert_proved(written, target)
