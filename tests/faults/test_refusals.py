"""Stores that refuse: now and then, or for good."""

from dataclasses import replace

import pytest

from restore.errors import AccessDenied
from tests.faults.conftest import Happen
from tests.faults.fault import Fault
from tests.faults.scenario import Place, Scenario
from tests.faults.steps import Step
from tests.faults.test_every_step import TINY

QUIET = Scenario(0, TINY, drawn=False)
DENIED = AccessDenied.__name__


async def test_a_storm_over_both_stores_is_sat_out(happen: Happen) -> None:
    outcome = await happen(replace(QUIET, faults=(Fault("storm"),)))

    assert outcome.ok, str(outcome)
    assert outcome.ending == "completed"


@pytest.mark.parametrize("place", ["same bucket", "other store"])
async def test_listings_of_a_moment_ago_mislead_nobody(happen: Happen, place: Place) -> None:
    outcome = await happen(replace(QUIET, place=place, faults=(Fault("stale"),)))

    assert outcome.ok, str(outcome)
    assert outcome.ending == "completed"
    assert outcome.struck


@pytest.mark.parametrize("step", ["copy", "store proof"])
async def test_listings_of_a_moment_ago_hide_nothing_from_a_rollback(happen: Happen, step: Step) -> None:
    outcome = await happen(replace(QUIET, faults=(Fault("stale"), Fault("cancel", step, late=True))))

    assert outcome.ok, str(outcome)
    assert outcome.ending == "canceled"


@pytest.mark.parametrize(
    ("step", "number"), [("copy", 30), ("stage", 1), ("store proof", 1), ("keep records", 2)]
)
async def test_a_refusal_for_good_rolls_everything_back(happen: Happen, step: Step, number: int) -> None:
    outcome = await happen(replace(QUIET, faults=(Fault("denied", step, number),)))

    assert outcome.ok, str(outcome)
    assert outcome.ending.startswith(f"failed: {DENIED}")
