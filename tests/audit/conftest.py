import pytest
from temporalio.client import Client

from workflows.plugin import RestorePlugin


@pytest.fixture(scope="session")
async def temporal(temporal_address: str) -> Client:
    """What activities ask of whoever started them."""
    return await Client.connect(temporal_address, plugins=[RestorePlugin()])
