"""A kept restore has many possible heirs and gets one."""

import pytest

from activities.opening import OpeningActivities
from activities.reserving import ReserveActivities
from restore.errors import TargetBusy
from restore.steps import Claim
from tests.activities.scene import WORKFLOW, Scene


async def test_of_two_later_runs_one_takes_over_and_the_other_is_told_of_it(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage())
    staged = await scene.begin()
    before = scene.image()
    rival = Claim(plan=kept.plan, workflow_id="another")
    with pytest.raises(TargetBusy, match=f"workflow {WORKFLOW}, active"):
        await scene.run(ReserveActivities(scene.clients).reserve_target, rival)
    assert before.changes(scene.image()) == set()
    assert (await scene.copy(staged)).skipped == staged.plan.objects


async def test_opening_tells_that_a_kept_restore_is_gone_on_with(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage())
    opening = await scene.run(OpeningActivities(scene.clients).open_restore, scene.request())
    assert (opening.job_id, opening.kept) == (kept.plan.job_id, True)
