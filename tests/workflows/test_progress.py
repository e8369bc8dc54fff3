"""What the `progress` query tells, at each phase and after the end."""

import pytest

from restore.steps import CopyReport
from tests.workflows.trial import Restore, Trial, ends_cancelled, eventually, progress
from tests.workflows.world import BYTES, OBJECTS, SEGMENTS
from workflows import search_attributes

pytestmark = pytest.mark.usefixtures("worker")

PHASES = {
    "open_restore": "planning",
    "create_target": "planning",
    "plan_restore": "planning",
    "reserve_target": "preparing",
    "copy_objects/0": "copying",
    "verify_objects/0": "copying",
    "complete_task/0": "copying",
    "verify_restore": "verifying",
    "publish_restore": "publishing",
    "complete_restore": "publishing",
}


async def test_every_phase_is_told_while_it_lasts(trial: Trial) -> None:
    world = trial.world
    world.tasks, world.absent, world.held = 1, True, set(PHASES)
    restore = await trial.start()

    seen = {}
    for step in PHASES:
        await world.reached(step)
        seen[step] = (await progress(restore)).phase
        world.release(step)
    await restore.result()

    assert seen == PHASES
    assert (await progress(restore)).phase == "completed"


async def test_a_rollback_is_told_while_it_lasts(trial: Trial) -> None:
    world = trial.world
    world.held = {"copy_objects", "remove_objects"}
    restore = await trial.start()
    await world.reached("copy_objects")
    await restore.cancel()
    await world.reached("remove_objects")

    shown = await progress(restore)

    assert (shown.phase, shown.message) == ("rolling_back", "cancelled")
    world.release()
    await ends_cancelled(restore)
    assert (await progress(restore)).phase == "canceled"


async def test_before_there_is_a_plan_no_totals_are_told(trial: Trial) -> None:
    trial.world.held = {"plan_restore"}
    restore = await trial.start(concurrency=7)
    await trial.world.reached("plan_restore")

    shown = await progress(restore)

    assert (shown.segments_total, shown.objects_total, shown.bytes_total) == (0, 0, 0)
    assert shown.seconds_left is None
    assert shown.concurrency == 7
    assert not shown.paused
    assert shown.started_at.endswith("+00:00")
    trial.world.release()
    await restore.result()


async def test_finished_tasks_and_the_reports_of_running_ones_are_counted(trial: Trial) -> None:
    world = trial.world
    world.tasks, world.reports, world.held = 3, True, {"copy_objects/2"}
    restore = await trial.start()
    await world.reached("copy_objects/2")

    await eventually(
        lambda: _has_done(restore, 2 * OBJECTS + OBJECTS // 2), "two tasks are done, the third is half done"
    )
    shown = await progress(restore)

    assert (shown.segments_done, shown.segments_total) == (2 * SEGMENTS, 3 * SEGMENTS)
    assert shown.objects_total == 3 * OBJECTS
    assert (shown.bytes_done, shown.bytes_total) == (2 * BYTES + BYTES // 2, 3 * BYTES)
    assert shown.objects_per_second > 0
    assert shown.bytes_per_second > 0
    assert shown.seconds_left is not None
    assert shown.seconds_left > 0
    world.release()
    await restore.result()


async def test_a_report_that_comes_after_its_task_has_ended_is_not_counted(trial: Trial) -> None:
    world = trial.world
    world.held = {"copy_objects/1"}
    restore = await trial.start()
    await eventually(lambda: _has_done(restore, OBJECTS), "one task is done")

    await restore.signal("report_copied", CopyReport(index=0, objects=OBJECTS, bytes=BYTES))

    assert (await progress(restore)).objects_done == OBJECTS
    world.release()
    await restore.result()


async def test_the_percentage_ends_at_a_hundred_however_small_the_last_step(trial: Trial) -> None:
    world = trial.world
    world.tasks, world.held = 4, {"copy_objects/3"}
    restore = await trial.start()
    await eventually(lambda: _has_done(restore, 3 * OBJECTS), "all but one task are done")
    nearly = CopyReport(index=3, objects=OBJECTS - 1, bytes=BYTES - 1)

    await restore.signal("report_copied", nearly)
    await eventually(lambda: _has_done(restore, 4 * OBJECTS - 1), "the report is counted")
    assert await _percent(restore) == 97
    world.release()
    await restore.result()

    assert await _percent(restore) == 100


async def test_after_the_end_everything_is_done_and_no_time_is_left(trial: Trial) -> None:
    restore = await trial.start()
    await restore.result()

    shown = await progress(restore)

    assert shown.segments_done == shown.segments_total == SEGMENTS * trial.world.tasks
    assert shown.objects_done == shown.objects_total == OBJECTS * trial.world.tasks
    assert shown.bytes_done == shown.bytes_total == BYTES * trial.world.tasks
    assert shown.seconds_left == 0


async def _has_done(restore: Restore, objects: int) -> bool:
    return (await progress(restore)).objects_done == objects


async def _percent(restore: Restore) -> int | None:
    return (await restore.describe()).typed_search_attributes.get(search_attributes.PERCENT)
