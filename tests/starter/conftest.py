import secrets
from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from tests.starter.command_line import CommandLine
from tests.starter.fake_restore import FakeRestore, FakeTask
from workflows.plugin import RestorePlugin


@pytest.fixture
async def cli(temporal_address: str) -> CommandLine:
    client = await Client.connect(temporal_address, plugins=[RestorePlugin()])
    return CommandLine(temporal_address, f"q-{secrets.token_hex(6)}", client)


@pytest.fixture
async def worker(cli: CommandLine) -> AsyncIterator[Worker]:
    """A worker on this test's task queue."""
    async with Worker(cli.client, task_queue=cli.queue, workflows=[FakeRestore, FakeTask]) as running:
        yield running


@pytest.fixture
def target() -> str:
    """A collection of this test's own."""
    return f"orders_{secrets.token_hex(6)}"
