"""Whole restores in worlds of their own, on the shared servers, one after the other."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from temporalio.client import Client

from starter.stack import Stack
from tests.faults.hand import Hand
from tests.faults.run import Outcome, run
from tests.faults.scenario import Scenario
from workflows.plugin import RestorePlugin

Happen = Callable[[Scenario], Awaitable[Outcome]]


@pytest.fixture(scope="session")
def servers(stack: Stack) -> dict[str, str]:
    """The contract's variables that lead to the shared servers."""
    return stack.settings()


@pytest.fixture(scope="session")
async def temporal(servers: dict[str, str]) -> Client:
    return await Client.connect(servers["TEMPORAL_ADDRESS"], plugins=[RestorePlugin()])


@pytest.fixture(scope="session")
def happen(stack: Stack, temporal: Client) -> Happen:
    """Have a scenario happen, and return what came of it."""
    return lambda scenario: run(scenario, stack, temporal)


@pytest.fixture
async def hand(tmp_path: Path) -> Hand:
    """What harms the workers of one world."""
    return Hand(tmp_path)
