"""What tests of fidelity share: the servers, and a deployment with a worker for it."""

from collections.abc import AsyncIterator, Iterator

import pytest
from temporalio.client import Client

from starter.stack import Stack
from tests.fidelity.ground import Ground, grounded
from workflows.plugin import RestorePlugin


@pytest.fixture(scope="session")
def servers(stack: Stack) -> dict[str, str]:
    """The contract's variables that lead to the shared servers."""
    return stack.settings()


@pytest.fixture(scope="session")
def other_servers(
    servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The same, but for an S3 server of its own with other keys."""
    other = Stack(tmp_path_factory.mktemp("other"), bound=True)
    try:
        other.up(temporal=False, etcd=False)
        yield servers | other.settings()
    finally:
        other.down()


@pytest.fixture(scope="session")
async def client(temporal_address: str) -> Client:
    return await Client.connect(temporal_address, plugins=[RestorePlugin()])


@pytest.fixture(scope="session")
async def shared_ground(
    client: Client, servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    """Source and target in one deployment, which is the default profile's."""
    async with grounded(client, servers, tmp_path_factory.mktemp("ground")) as ground:
        yield ground


@pytest.fixture
def ground(shared_ground: Ground) -> Iterator[Ground]:
    """The shared one, empty again after the test."""
    yield shared_ground
    shared_ground.clear()
