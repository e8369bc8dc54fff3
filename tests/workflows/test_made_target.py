"""An absent target is made before planning; what ends the restore before publishing takes it away again."""

import pytest

from restore.errors import SnapshotCorrupt, TargetMismatch
from tests.workflows.trial import Trial, ends_cancelled, failure_of

pytestmark = pytest.mark.usefixtures("worker")

STEPS = ("create_target", "plan_restore", "copy_objects")


@pytest.fixture(autouse=True)
def absent(trial: Trial) -> None:
    trial.world.absent = True


async def test_it_is_there_when_planning_begins_and_stays_after_success(trial: Trial) -> None:
    world = trial.world
    world.held = {"plan_restore"}
    restore = await trial.start()
    await world.reached("plan_restore")
    assert len(world.made) == 1

    world.release()
    result = await restore.result()

    assert world.made == {result.job_id}
    assert world.rollbacks == []


async def test_a_target_that_exists_is_not_made(trial: Trial) -> None:
    trial.world.absent = False
    restore = await trial.start()
    await restore.result()
    assert trial.world.made == set()


async def test_what_milvus_makes_otherwise_is_the_top_failure_and_nothing_is_left(trial: Trial) -> None:
    trial.world.errors = {"create_target": TargetMismatch("field 109 (late): expected in the target")}
    restore = await trial.start()

    failure = await failure_of(restore)

    assert (failure.type, failure.message) == ("TargetMismatch", "field 109 (late): expected in the target")
    assert (await trial.rollback.result()).target == "removed"
    assert trial.world.remains == []


async def test_a_failure_after_it_takes_it_away(trial: Trial) -> None:
    trial.world.errors = {"plan_restore": SnapshotCorrupt("the manifest of segment 442 is damaged")}
    restore = await trial.start()
    await failure_of(restore)
    assert (await trial.rollback.result()).target == "removed"
    assert trial.world.remains == []


@pytest.mark.parametrize("step", STEPS)
async def test_a_cancel_takes_it_away(trial: Trial, step: str) -> None:
    trial.world.held = {step}
    restore = await trial.start()
    await trial.world.reached(step)

    await restore.cancel()
    await ends_cancelled(restore)

    assert trial.world.remains == []


async def test_a_kept_restore_keeps_it_and_a_later_run_does_not_make_it_again(trial: Trial) -> None:
    world = trial.world
    world.errors = {"verify_restore": SnapshotCorrupt("a record differs from the plan")}
    await failure_of(await trial.start(on_failure="keep"))
    kept = set(world.made)
    assert len(kept) == 1

    world.errors = {}
    result = await (await trial.start()).result()

    assert world.made == kept == {result.job_id}
