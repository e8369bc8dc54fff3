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


@pytest.fixture(scope="module")
async def plain(
    client: Client, servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bench]:
    """A snapshot without a seal."""
    async with bench(client, servers, tmp_path_factory.mktemp("plain"), sealed=False) as ready:
        yield ready


@pytest.fixture(scope="module")
async def sealed(
    client: Client, servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Bench]:
    """The same with one."""
    async with bench(client, servers, tmp_path_factory.mktemp("sealed"), sealed=True) as ready:
        yield ready
