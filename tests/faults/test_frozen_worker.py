"""A worker sleeps through its restore's rollback and a new restore to the same target, and then wakes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

from stores.clients import COPY_THREADS
from tests.e2e.image import Image, assert_rolled_back
from tests.faults.fault import Fault
from tests.faults.ground import Ground, prepared
from tests.faults.hand import Hand
from tests.faults.run import restore
from tests.faults.scenario import Scenario
from tests.faults.test_every_step import TINY

FOR_EVER = 10_000
"""Seconds; the test wakes it."""

SLEEPS = (
    Fault("freeze", "copy", 20, amount=FOR_EVER),
    Fault("freeze", "store proof", amount=FOR_EVER),
    Fault("freeze", "stage", amount=FOR_EVER, late=True),
)


@pytest.fixture(params=SLEEPS, ids=str)
def ground(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path, hand: Hand
) -> Iterator[Ground]:
    """A world whose first worker falls asleep, and at that moment somebody cancels."""
    sleep: Fault = request.param
    cancel = Fault("cancel", sleep.step, sleep.number)
    with prepared(servers, tmp_path, Scenario(0, TINY, faults=(cancel, sleep), drawn=False), hand) as ground:
        yield ground


@pytest.mark.timeout(300)
async def test_it_changes_nothing_that_counts(ground: Ground, hand: Hand, temporal: Client) -> None:
    assert await restore(ground, hand, temporal) == "canceled"
    assert_rolled_back(ground.target.before, ground.deployment.image())
    assert await restore(ground, hand, temporal) == "completed"
    restored = ground.deployment.image()

    await asyncio.to_thread(hand.crew.dismiss)  # which wakes it and lets it finish what it can

    assert_only_stragglers(restored, ground.deployment.image(), ground.scenario.faults[-1])


def assert_only_stragglers(restored: Image, after: Image, sleep: Fault) -> None:
    """At most the requests that were on their way when it fell asleep; their ids are nobody's."""
    late = restored.changes(after)
    assert late.isdisjoint(restored.objects.keys() | restored.records.keys() | after.records.keys())
    assert len(late) <= COPY_THREADS
    assert sum("/restores/" in key for key in late) <= (sleep.step == "store proof")
