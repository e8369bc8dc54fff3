"""Temporal, the stores and the worker are killed in the middle of a restore, and come back."""

import os
import signal
from collections.abc import Iterator

import pytest

from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from starter.stack import Stack
from stores.clients import COPY_THREADS
from tests.e2e.slow_site import SlowSite, slow_site
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All three servers, of this module's own."""
    running = Stack(tmp_path_factory.mktemp("own"), bound=True)
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="module")
def slow(own: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowSite]:
    """A worker that works on these servers."""
    with slow_site(own.settings(), tmp_path_factory.mktemp("slow")) as running:
        yield running


@pytest.fixture(scope="module")
def written(slow: SlowSite) -> WrittenSample:
    return slow.site.deployment.sample(SampleShape(segments=4, megabytes=1.2))


def kill(own: Stack, names: tuple[str, ...]) -> None:
    """End servers with SIGKILL, in this order; return when they are gone."""
    pids = {each.name: each.pid for each in own.status()}
    for name in names:
        os.killpg(pids[name] or 0, signal.SIGKILL)
    eventually(
        lambda: not [each for each in own.status() if each.name in names and each.pid], f"{names} are gone"
    )


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("names", "worker_too"),
    [(("temporal",), False), (("s3", "temporal", "etcd"), False), (("etcd", "s3", "temporal"), True)],
    ids=["Temporal", "all servers", "all servers and the worker"],
)
def test_a_restore_goes_on_when_they_are_back(
    slow: SlowSite,
    own: Stack,
    written: WrittenSample,
    valve: Valve,
    names: tuple[str, ...],
    worker_too: bool,
) -> None:
    site, target = slow.site, slow.site.target(written.shape)
    workflow_id = site.commands.begin({"snapshot": written.uri, "target": target.name})
    slow.half_copied(valve, 60)

    kill(own, names)
    if worker_too:
        site.worker.kill()
    own.up()
    if worker_too:
        site.worker.start()
    valve.open()

    told = site.commands.outcome(workflow_id)
    assert told.status == "COMPLETED", told.message
    site.assert_proved(written, target)
    assert valve.done <= written.objects + COPY_THREADS, "more than what was in flight was copied again"
