"""Where it is configured, nothing is collected from before staging until a restore is undone or known."""

import pytest

from restore.errors import AccessDenied, ObjectMissing
from tests.workflows.trial import Trial, ends_cancelled, events, failure_of

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture(autouse=True)
def pausable(trial: Trial) -> None:
    trial.world.pausable = True


async def test_nothing_is_collected_from_before_planning_until_all_is_published(trial: Trial) -> None:
    trial.world.held = {"plan_restore", "publish_restore"}
    restore = await trial.start()

    await trial.world.reached("plan_restore")
    assert trial.world.pauses == {"ticket-1"}
    trial.world.release("plan_restore")
    await trial.world.reached("publish_restore")
    assert trial.world.pauses == {"ticket-1"}
    assert await events(restore, "TIMER_STARTED") == 2, "the renewals of pin and pause wait"
    trial.world.release()
    await restore.result()


async def test_what_is_published_stays_paused_for_the_time_until_the_restart(trial: Trial) -> None:
    await (await trial.start()).result()

    assert "resume_collection" not in trial.world.seen
    assert trial.world.pauses == {"ticket-2"}, "prolonged at the end"


async def test_a_restore_without_an_endpoint_pauses_nothing(trial: Trial) -> None:
    trial.world.pausable = False

    await (await trial.start()).result()

    assert trial.world.seen.isdisjoint({"pause_collection", "resume_collection"})


async def test_a_collection_that_cannot_be_paused_is_not_restored_beside(trial: Trial) -> None:
    trial.world.errors["pause_collection"] = AccessDenied("the management endpoint answers 404")

    failure = await failure_of(await trial.start())

    assert (failure.type, failure.message) == ("AccessDenied", "the management endpoint answers 404")
    assert trial.world.seen.isdisjoint({"plan_restore", "copy_objects"})
    assert trial.world.remains == []


@pytest.mark.parametrize("step", ["plan_restore", "reserve_target", "copy_objects", "verify_restore"])
async def test_after_a_failure_garbage_is_collected_again(trial: Trial, step: str) -> None:
    trial.world.errors[step] = ObjectMissing("object a is absent")

    await failure_of(await trial.start())

    assert trial.world.tickets == 1
    assert trial.world.remains == []


@pytest.mark.parametrize("step", ["pause_collection", "plan_restore", "copy_objects"])
async def test_after_a_cancel_garbage_is_collected_again(trial: Trial, step: str) -> None:
    trial.world.held = {step}
    restore = await trial.start()
    await trial.world.reached(step)

    await restore.cancel()
    if step == "pause_collection":  # it is not cut short: a late pause would follow the resume
        trial.world.release()

    await ends_cancelled(restore)
    assert trial.world.tickets == 1
    assert trial.world.remains == []


async def test_garbage_is_not_collected_while_a_rollback_goes_on(trial: Trial) -> None:
    trial.world.errors["verify_restore"] = ObjectMissing("object a is absent")
    trial.world.held = {"remove_objects"}
    restore = await trial.start()

    await trial.world.reached("remove_objects")
    assert trial.world.pauses == {"ticket-1"}
    trial.world.release()

    await failure_of(restore)
    assert trial.world.pauses == set()


async def test_a_resume_that_fails_changes_no_ones_end(trial: Trial) -> None:
    trial.world.errors["resume_collection"] = AccessDenied("refused")
    trial.world.errors["verify_restore"] = ObjectMissing("object a is absent")

    failure = await failure_of(await trial.start())

    assert failure.type == "ObjectMissing"
