from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from starter.stack import Stack
from tests.corruption.ground import Bench, bench
from workflows.plugin import RestorePlugin


@pytest.fixture(scope="session")
def servers(stack: Stack) -> dict[str, str]:
    """The contract's variables that lead to the shared servers."""
    return stack.settings()


@pytest.fixture(scope="session")
async def client(temporal_address: str) -> Client:
    return await Client.connect(temporal_address, plugins=[RestorePlugin()])


@pytest.fixture(scope="module")  # its chunks of one segment must not outlast it
async def matrix(
    client: Client, servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bench]:
    """A snapshot to damage, whole again after each test."""
    async with bench(client, servers, tmp_path_factory.mktemp("matrix")) as ready:
        yield ready
