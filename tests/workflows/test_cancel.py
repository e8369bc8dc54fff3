"""A cancelled restore leaves nothing behind, whenever it was cancelled; past publishing it is refused."""

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import TerminatedError

from restore.errors import AccessDenied, ObjectMissing
from restore.steps import RollbackRequest
from tests.workflows.trial import (
    Restore,
    Trial,
    details,
    ends_cancelled,
    eventually,
    failure_of,
    progress,
    status,
    steer,
)
from workflows import search_attributes

working = pytest.mark.usefixtures("worker")


async def reaching(trial: Trial, *steps: str, **fields: str) -> Restore:
    """A restore that stands still at these steps."""
    trial.world.held = set(steps)
    restore = await trial.start(**fields)
    await trial.world.reached(*steps)
    return restore


async def test_a_cancel_before_the_first_step_begins_nothing(trial: Trial) -> None:
    restore = await trial.start()
    await restore.cancel()

    async with trial.worker():
        await ends_cancelled(restore)

    assert trial.world.job == 2**40, "nothing was opened"
    assert trial.world.rollbacks == []


@working
async def test_a_cancel_while_opening_needs_no_rollback(trial: Trial) -> None:
    restore = await reaching(trial, "open_restore")

    await restore.cancel()
    await ends_cancelled(restore)

    assert trial.world.rollbacks == []
    assert (await progress(restore)).phase == "canceled"


@working
@pytest.mark.parametrize(
    "step", ["plan_restore", "reserve_target", "copy_objects", "sync_json_indexes/1", "verify_restore"]
)
async def test_a_cancel_rolls_back_whatever_was_begun(trial: Trial, step: str) -> None:
    restore = await reaching(trial, step)

    await restore.cancel()
    await ends_cancelled(restore)

    world = trial.world
    assert [each.reason for each in world.rollbacks] == ["cancelled"]
    assert world.active_at_fence == [], "the rollback began before the steps had ended"
    assert world.remains == []
    assert world.published == set()


@working
@pytest.mark.parametrize(
    ("step", "following"),
    [
        ("plan_restore", "reserve_target"),
        ("reserve_target", "copy_objects"),
        ("copy_objects", "verify_objects"),
        ("update_binlogs/0", "sync_text_indexes/0"),
        ("verify_restore", "publish_restore"),
    ],
)
async def test_a_cancel_is_not_lost_when_the_step_ends_normally_meanwhile(
    trial: Trial, step: str, following: str
) -> None:
    trial.world.deaf = {step}
    restore = await reaching(trial, step)

    await restore.cancel()
    await ends_cancelled(restore)

    assert following not in trial.world.seen
    assert trial.world.published == set()
    assert trial.world.active_at_fence == []
    assert trial.world.remains == []


@working
async def test_a_rollback_waits_for_copies_that_are_slow_to_stop(trial: Trial) -> None:
    world = trial.world
    world.slow = {"copy_objects"}
    restore = await reaching(trial, "copy_objects/0", "copy_objects/1")
    await restore.cancel()
    await world.until(lambda: world.cancelled >= {"copy_objects/0", "copy_objects/1"}, "both are told")

    for _ in range(8):  # time enough for a rollback that would not wait
        assert (await progress(restore)).phase == "copying"
    assert world.rollbacks == []

    world.release()
    await ends_cancelled(restore)
    assert world.active_at_fence == []
    assert world.remains == []


@working
async def test_a_cancel_ends_the_tasks_as_cancelled_too(trial: Trial) -> None:
    restore = await reaching(trial, "copy_objects/0", "copy_objects/1")

    await restore.cancel()
    await ends_cancelled(restore)

    await ends_cancelled(trial.task(0))
    await ends_cancelled(trial.task(1))
    assert await status(trial.rollback) == WorkflowExecutionStatus.COMPLETED


@working
async def test_a_cancelled_restore_shows_that_it_was_rolled_back(trial: Trial) -> None:
    restore = await reaching(trial, "copy_objects")

    await restore.cancel()
    await ends_cancelled(restore)

    assert (await progress(restore)).phase == "canceled"
    assert (await details(restore)).startswith("### Canceled")
    found = (await restore.describe()).typed_search_attributes
    assert found[search_attributes.PHASE] == "canceled"


@working
async def test_a_paused_restore_can_be_cancelled(trial: Trial) -> None:
    restore = await reaching(trial, "copy_objects")
    await steer(restore, "pause")

    await restore.cancel()
    await ends_cancelled(restore)

    assert trial.world.remains == []


@working
async def test_keep_is_for_failures_a_cancel_rolls_back(trial: Trial) -> None:
    restore = await reaching(trial, "copy_objects", on_failure="keep")

    await restore.cancel()
    await ends_cancelled(restore)

    assert len(trial.world.rollbacks) == 1
    assert trial.world.remains == []


@working
@pytest.mark.parametrize("step", ["fence_restore", "remove_objects", "forget_restore"])
async def test_a_second_cancel_does_not_stop_the_rollback(trial: Trial, step: str) -> None:
    world = trial.world
    restore = await reaching(trial, "copy_objects")
    world.held.add(step)
    await restore.cancel()
    await world.reached(step)

    await restore.cancel()
    await trial.rollback.cancel()
    assert (await progress(restore)).phase == "rolling_back"
    world.release()
    await ends_cancelled(restore)

    assert await status(trial.rollback) == WorkflowExecutionStatus.COMPLETED
    assert world.remains == []


@working
async def test_a_cancel_while_a_failure_is_rolled_back_does_not_hide_the_failure(trial: Trial) -> None:
    world = trial.world
    world.errors = {"copy_objects/0": ObjectMissing("object 1 is absent")}
    restore = await reaching(trial, "remove_records")

    await restore.cancel()
    world.release()
    failure = await failure_of(restore)

    assert (failure.type, failure.message) == ("ObjectMissing", "object 1 is absent")
    assert world.remains == []


@working
async def test_a_cancel_whose_rollback_cannot_finish_ends_failed(trial: Trial) -> None:
    trial.world.errors = {"remove_objects": AccessDenied("DeleteObjects is refused")}
    restore = await reaching(trial, "copy_objects")

    await restore.cancel()
    failure = await failure_of(restore)

    assert failure.type == "RollbackIncomplete"
    assert "DeleteObjects is refused" in failure.message
    assert failure.message.endswith("it was rolled back because of: cancelled")


@working
@pytest.mark.parametrize("step", ["publish_restore", "complete_restore"])
async def test_a_cancel_while_publishing_is_refused_with_the_reason(trial: Trial, step: str) -> None:
    world = trial.world
    restore = await reaching(trial, step)

    await restore.cancel()
    await eventually(lambda: _was_refused(restore), "the refusal is shown")
    world.release()
    result = await restore.result()

    assert await status(restore) == WorkflowExecutionStatus.COMPLETED
    assert result.segments > 0
    assert world.published == {0, 1}
    assert world.rollbacks == []
    shown = await progress(restore)
    assert shown.phase == "completed"
    assert "cancel was refused" in shown.message
    assert "cancel was refused" in await details(restore)


@working
async def test_a_terminated_restore_cancels_its_tasks_and_can_be_rolled_back_by_hand(trial: Trial) -> None:
    world = trial.world
    restore = await reaching(trial, "copy_objects/0", "copy_objects/1")

    await restore.terminate(reason="by hand")
    with pytest.raises(WorkflowFailureError) as caught:
        await restore.result()

    assert isinstance(caught.value.cause, TerminatedError)
    await ends_cancelled(trial.task(0))
    await ends_cancelled(trial.task(1))
    assert world.rollbacks == []
    await trial.undo(RollbackRequest(job_id=str(world.job)))
    assert world.remains == []


@working
async def test_a_rollback_goes_on_when_its_restore_is_terminated(trial: Trial) -> None:
    restore = await reaching(trial, "copy_objects")
    trial.world.held.add("remove_objects")
    await restore.cancel()
    await trial.world.reached("remove_objects")

    await restore.terminate(reason="by hand")
    trial.world.release()
    await trial.rollback.result()

    assert trial.world.remains == []


async def _was_refused(restore: Restore) -> bool:
    return "cancel was refused" in (await progress(restore)).message
