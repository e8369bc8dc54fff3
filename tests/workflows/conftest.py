from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.workflows.replaying import divergences, family
from tests.workflows.trial import Trial
from workflows.plugin import RestorePlugin


@pytest.fixture(scope="session")
async def client(temporal_address: str) -> Client:
    return await Client.connect(temporal_address, plugins=[RestorePlugin()])


@pytest.fixture(params=[1000, 0], ids=["cached", "uncached"])
def cache(request: pytest.FixtureRequest) -> int:
    """Workflows that a worker keeps; with 0, every task of every workflow is a replay from its start."""
    return int(request.param)


@pytest.fixture
async def trial(client: Client, cache: int) -> AsyncIterator[Trial]:
    """A world of this test's own; after it, every run of the test is replayed."""
    trial = Trial(client, cache)
    yield trial
    assert trial.started
    assert await divergences(family(trial.client, trial.started)) == []


@pytest.fixture
async def worker(trial: Trial) -> AsyncIterator[Worker]:
    """A worker on this test's task queue."""
    async with trial.worker() as running:
        yield running
