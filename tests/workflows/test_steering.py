"""Steering a restore that runs: how many tasks at once, pause, resume."""

import asyncio

import pytest
from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateStage

from tests.workflows.trial import Restore, Trial, ends_cancelled, events, eventually, progress, steer
from tests.workflows.world import OBJECTS, World

pytestmark = pytest.mark.usefixtures("worker")


async def full(world: World, count: int) -> None:
    await world.until(lambda: len(world.active) == count, f"{count} tasks are copied at once")


async def copying(trial: Trial, *, tasks: int, concurrency: int) -> Restore:
    """A restore whose window is full of tasks that stand still."""
    trial.world.tasks, trial.world.held = tasks, {"copy_objects"}
    restore = await trial.start(concurrency=concurrency)
    await full(trial.world, concurrency)
    return restore


async def test_never_more_tasks_run_at_once_than_wanted(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=6, concurrency=2)
    assert sorted(world.begun) == [0, 1]

    world.release()
    await restore.result()

    assert world.most_working == 2
    assert len(world.begun) == 6


async def test_more_at_once_start_at_once(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=4, concurrency=1)

    answer = await steer(restore, "set_concurrency", {"value": 3})

    assert answer.concurrency == 3
    await full(world, 3)
    assert sorted(world.begun) == [0, 1, 2]
    world.release()
    await restore.result()
    assert world.most_working == 3


async def test_fewer_at_once_let_the_running_ones_end(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=5, concurrency=3)

    assert (await steer(restore, "set_concurrency", {"value": 1})).concurrency == 1

    assert sorted(world.active) == [0, 1, 2], "running tasks are not interrupted"
    world.most_working = 0
    world.held = {"copy_objects/2", "copy_objects/3", "copy_objects/4"}
    await world.until(lambda: world.working == {2}, "the first two have ended")
    assert sorted(world.begun) == [0, 1, 2]
    world.release()
    await restore.result()
    assert sorted(world.begun) == [0, 1, 2, 3, 4]


async def test_a_wrong_concurrency_is_refused_without_a_trace(trial: Trial) -> None:
    restore = await copying(trial, tasks=2, concurrency=1)

    for wrong in (*({"value": value} for value in (0, 257, "8", True, 2.5)), {"values": 8}, {}, 8, None):
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await restore.execute_update("set_concurrency", wrong)
        assert "field " in str(caught.value.cause), f"{wrong} is answered by {caught.value.cause}"

    assert (await progress(restore)).concurrency == 1
    trial.world.release()
    await restore.result()
    assert await events(restore, "WORKFLOW_EXECUTION_UPDATE_ACCEPTED") == 0


async def test_once_a_pause_has_answered_nothing_runs(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=4, concurrency=2)

    answer = await steer(restore, "pause")

    assert answer.paused
    assert world.active == []
    await ends_cancelled(trial.task(0))
    await ends_cancelled(trial.task(1))
    assert sorted(world.begun) == [0, 1]
    assert (await progress(restore)).paused
    await steer(restore, "resume")
    world.release()
    await restore.result()


async def test_after_a_resume_the_tasks_go_on_and_none_is_counted_twice(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=4, concurrency=2)
    world.release("copy_objects")
    world.held = {"copy_objects/1"}
    await eventually(lambda: _has_done(restore, 3 * OBJECTS), "all but one task are done")
    await steer(restore, "pause")
    assert (await progress(restore)).objects_done == 3 * OBJECTS

    world.release()
    answer = await steer(restore, "resume")
    result = await restore.result()

    assert not answer.paused
    assert (result.objects, result.objects_skipped) == (4 * OBJECTS, OBJECTS // 2)
    assert sorted(world.begun) == [0, 1, 1, 2, 3]
    assert world.published == {0, 1, 2, 3}
    shown = await progress(restore)
    assert (shown.objects_done, shown.segments_done) == (shown.objects_total, shown.segments_total)


async def test_what_a_paused_task_has_copied_stays_counted(trial: Trial) -> None:
    world = trial.world
    world.reports, world.held = True, {"copy_objects"}
    restore = await trial.start(concurrency=1)
    await world.reached("copy_objects/0")

    answer = await steer(restore, "pause")

    assert answer.objects_done == OBJECTS // 2
    world.release()
    await steer(restore, "resume")
    assert (await restore.result()).objects == OBJECTS * world.tasks


@pytest.mark.parametrize("step", ["open_restore", "plan_restore", "reserve_target"])
async def test_a_pause_before_copying_answers_at_once_and_holds_the_copying_back(
    trial: Trial, step: str
) -> None:
    world = trial.world
    world.held = {step}
    restore = await trial.start()
    await world.reached(step)

    assert (await steer(restore, "pause")).paused

    world.release()
    await eventually(lambda: _is_in(restore, "copying"), "planning ends although it is paused")
    assert world.begun == []
    await steer(restore, "resume")
    await restore.result()


async def test_a_second_pause_changes_nothing(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=3, concurrency=2)

    answers = await asyncio.gather(steer(restore, "pause"), steer(restore, "pause"))
    third = await steer(restore, "pause")

    assert all(answer.paused for answer in (*answers, third))
    assert world.active == []
    await steer(restore, "resume")
    world.release()
    result = await restore.result()
    assert result.objects == 3 * OBJECTS
    assert sorted(set(world.begun)) == [0, 1, 2]


async def test_a_resume_without_a_pause_changes_nothing(trial: Trial) -> None:
    restore = await copying(trial, tasks=2, concurrency=1)

    answer = await steer(restore, "resume")

    assert not answer.paused
    assert trial.world.active == [0]
    trial.world.release()
    await restore.result()
    assert trial.world.begun == [0, 1]


async def test_a_resume_before_the_paused_tasks_have_ended_lets_them_go_on(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=2, concurrency=2)
    accepted = WorkflowUpdateStage.ACCEPTED

    pausing = await restore.start_update("pause", wait_for_stage=accepted)
    await steer(restore, "resume")

    await pausing.result()
    await world.until(lambda: len(world.begun) == 4, "the interrupted tasks are started again")
    world.release()
    assert (await restore.result()).objects == 2 * OBJECTS
    assert world.rollbacks == []


async def test_a_task_that_ends_although_it_was_paused_is_done(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=2, concurrency=2)
    world.deaf = {"copy_objects"}

    await steer(restore, "pause")

    assert world.active == []
    world.release()
    await steer(restore, "resume")
    result = await restore.result()
    assert result.objects == 2 * OBJECTS
    assert world.published == {0, 1}


async def test_a_paused_restore_takes_a_new_concurrency_for_later(trial: Trial) -> None:
    world = trial.world
    restore = await copying(trial, tasks=4, concurrency=1)
    await steer(restore, "pause")

    assert (await steer(restore, "set_concurrency", {"value": 3})).paused

    assert world.active == []
    await steer(restore, "resume")
    await full(world, 3)
    world.release()
    await restore.result()


async def test_a_pause_given_a_value_is_taken_all_the_same(trial: Trial) -> None:
    """The web UI and the command line send `{}` or null where nothing is wanted."""
    restore = await copying(trial, tasks=2, concurrency=1)

    for value in (dict[str, object](), None):
        assert (await steer(restore, "pause", value)).paused

    trial.world.release()
    await steer(restore, "resume")
    await restore.result()


async def test_a_report_that_nobody_understands_is_left_out(trial: Trial) -> None:
    restore = await copying(trial, tasks=2, concurrency=1)

    for wrong in ({"index": "first"}, {"index": 0}, None, 7):
        await restore.signal("report_copied", wrong)

    assert (await progress(restore)).objects_done == 0
    trial.world.release()
    assert (await restore.result()).objects == 2 * OBJECTS


async def test_an_update_after_the_end_is_refused(trial: Trial) -> None:
    restore = await trial.start()
    await restore.result()

    with pytest.raises(Exception, match="already completed"):
        await steer(restore, "pause")


async def _is_in(restore: Restore, phase: str) -> bool:
    return (await progress(restore)).phase == phase


async def _has_done(restore: Restore, objects: int) -> bool:
    return (await progress(restore)).objects_done == objects
