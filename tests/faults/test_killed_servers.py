"""Temporal, etcd and the S3 server get SIGKILL at every stage of one restore, and of one rollback."""

from collections.abc import Iterator

import pytest
from temporalio.client import Client

from starter.stack import Stack
from tests.faults.fault import OF_SERVERS, Fault
from tests.faults.run import run
from tests.faults.scenario import OUTAGES_FROM, Scenario, drawn, matrix
from tests.faults.test_every_step import TINY
from workflows.plugin import RestorePlugin

RESTORE = (
    Fault("s3", "store plan"),
    Fault("etcd", "reserve", late=True),
    Fault("temporal", "copy", 5),
    Fault("s3", "copy", 30, late=True),
    Fault("s3", "store proof", late=True),
    Fault("etcd", "stage"),
    Fault("servers", "begin to publish", late=True),
    Fault("etcd", "complete", late=True),
)
ROLLBACK = (
    Fault("etcd", "fence", late=True),
    Fault("temporal", "unstage", late=True),
    Fault("s3", "remove objects", late=True),
    Fault("servers", "release"),
    Fault("cancel", "stage", 2, late=True),
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """All three servers, of this module's own."""
    running = Stack(tmp_path_factory.mktemp("own"), bound=True)
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("faults", "ending"), [(RESTORE, "completed"), (ROLLBACK, "canceled")], ids=["restore", "rollback"]
)
async def test_the_restore_goes_on_when_they_are_back(
    own: Stack, faults: tuple[Fault, ...], ending: str
) -> None:
    temporal = await Client.connect(own.settings()["TEMPORAL_ADDRESS"], plugins=[RestorePlugin()])

    outcome = await run(Scenario(0, TINY, faults=faults, drawn=False), own, temporal)

    assert outcome.ok, str(outcome)
    assert outcome.ending == ending
    assert outcome.struck == set(faults)
    assert outcome.again <= 32  # what one worker has in flight


def test_each_server_is_killed_in_scenarios_by_seed_and_in_the_table() -> None:
    for scenarios in (map(drawn, range(OUTAGES_FROM, OUTAGES_FROM + 100)), matrix(1)):
        assert OF_SERVERS.keys() <= {fault.kind for each in scenarios for fault in each.faults}
    assert not any(drawn(seed).has(*OF_SERVERS) for seed in range(OUTAGES_FROM))
