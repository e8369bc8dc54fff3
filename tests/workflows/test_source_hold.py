"""A restore holds its source while it runs, whatever its end."""

import pytest

from restore.errors import ObjectMissing, SnapshotNotFound
from restore.steps import RollbackRequest
from tests.workflows.trial import Trial, ends_cancelled, events, failure_of

pytestmark = pytest.mark.usefixtures("worker")


async def test_the_source_is_held_from_before_planning_until_the_end(trial: Trial) -> None:
    trial.world.held = {"plan_restore", "publish_restore"}
    restore = await trial.start()

    await trial.world.reached("plan_restore")
    assert trial.world.pins == {str(trial.world.job)}
    trial.world.release("plan_restore")
    await trial.world.reached("publish_restore")
    assert trial.world.pins == {str(trial.world.job)}
    assert await events(restore, "TIMER_STARTED") == 1, "its renewal waits"
    trial.world.release()
    await restore.result()

    assert trial.world.pins == set()


async def test_what_cannot_be_held_is_restored_all_the_same(trial: Trial) -> None:
    trial.world.pinnable = False
    restore = await trial.start()

    await restore.result()

    assert await events(restore, "TIMER_STARTED") == 0
    assert "unpin_source" not in trial.world.seen


async def test_a_source_that_is_being_dropped_is_refused(trial: Trial) -> None:
    trial.world.errors["pin_source"] = SnapshotNotFound("snapshot 'nightly' is being dropped")

    failure = await failure_of(await trial.start())

    assert failure.type == "SnapshotNotFound"
    assert trial.world.remains == []


@pytest.mark.parametrize("step", ["plan_restore", "reserve_target", "copy_objects", "verify_restore"])
async def test_a_failed_restore_holds_nothing(trial: Trial, step: str) -> None:
    trial.world.errors[step] = ObjectMissing("object a is absent")

    await failure_of(await trial.start())

    assert trial.world.remains == []


async def test_a_kept_restore_holds_nothing_until_it_is_gone_on_with(trial: Trial) -> None:
    trial.world.errors["copy_objects"] = ObjectMissing("object a is absent")
    await failure_of(await trial.start(on_failure="keep"))
    assert trial.world.pins == set()
    trial.world.errors.clear()
    trial.world.held = {"verify_restore"}

    restore = await trial.start()
    await trial.world.reached("verify_restore")

    assert trial.world.pins == {str(trial.world.job)}
    trial.world.release()
    await restore.result()
    assert trial.world.pins == set()


@pytest.mark.parametrize("step", ["pin_source", "plan_restore"])
async def test_a_cancelled_restore_holds_nothing(trial: Trial, step: str) -> None:
    trial.world.held = {step}
    restore = await trial.start()
    await trial.world.reached(step)

    await restore.cancel()
    if step == "pin_source":  # it is not cut short: nobody would know of its pin
        trial.world.release()

    await ends_cancelled(restore)
    assert trial.world.remains == []


async def test_a_pin_that_cannot_be_given_back_fails_no_restore(trial: Trial) -> None:
    trial.world.errors["unpin_source"] = ObjectMissing("refused")

    result = await (await trial.start()).result()

    assert result.job_id == str(trial.world.job)


async def test_the_rollback_by_hand_of_a_terminated_restore_lets_its_source_go(trial: Trial) -> None:
    trial.world.held = {"verify_restore"}
    restore = await trial.start()
    await trial.world.reached("verify_restore")
    await restore.terminate()
    assert trial.world.pins == {str(trial.world.job)}

    await trial.undo(RollbackRequest(job_id=str(trial.world.job), unrest_seconds=0))

    assert trial.world.remains == []
