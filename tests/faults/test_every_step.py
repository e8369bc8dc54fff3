"""One restore that is hit at every step that it takes, and one rollback."""

from collections.abc import Callable

import pytest

from samples.shape import SampleShape
from tests.faults.conftest import Happen
from tests.faults.fault import Fault, Kind
from tests.faults.scenario import WRITES, Place, Scenario
from tests.faults.steps import UNDOING

TINY = SampleShape(segments=2, partitions=2, megabytes=0.06, dim=8)


def everywhere(kind: Kind, *, place: Place = "same bucket", late: bool = True) -> Scenario:
    """A restore with this fault at each of its writes."""
    faults = tuple(Fault(kind, step, late=late) for step in WRITES)
    return Scenario(0, TINY, place=place, faults=faults, drawn=False)


def undoing(kind: Kind, *, late: bool = True) -> Scenario:
    """A restore that is cancelled when all is staged, with this fault at each step of its rollback."""
    faults = [Fault(kind, step, late=late) for step in UNDOING]
    return Scenario(0, TINY, faults=(*faults, Fault("cancel", "stage", 2, late=True)), drawn=False)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("scenario", [everywhere("kill"), undoing("kill")], ids=["restore", "rollback"])
async def test_a_worker_killed_after_every_write_is_made_up_for(happen: Happen, scenario: Scenario) -> None:
    outcome = await happen(scenario)

    assert outcome.ok, str(outcome)
    assert outcome.struck == set(scenario.faults)
    assert outcome.again <= 32  # what one worker has in flight


@pytest.mark.parametrize("kind", ["lost", "cut"])
@pytest.mark.parametrize("of", [everywhere, undoing], ids=["restore", "rollback"])
async def test_a_broken_connection_at_every_write_changes_nothing(
    happen: Happen, kind: Kind, of: Callable[[Kind], Scenario]
) -> None:
    scenario = of(kind)

    outcome = await happen(scenario)

    assert outcome.ok, str(outcome)
    assert outcome.struck == set(scenario.faults)
    assert outcome.ending == ("completed" if of is everywhere else "canceled")
