"""A restore whose history grows long goes on in a new run; the server's threshold is lowered for that."""

from collections.abc import AsyncIterator

import pytest
from temporalio.client import Client

from restore.errors import ObjectMissing
from tests.workflows.impatient import impatient_server, lengthen
from tests.workflows.replaying import divergences, family
from tests.workflows.trial import (
    Restore,
    Trial,
    ends_cancelled,
    eventually,
    failure_of,
    progress,
    steer,
)
from tests.workflows.world import BYTES, OBJECTS, ROWS, SEGMENTS
from workflows import search_attributes


@pytest.fixture(scope="module")
async def impatient() -> AsyncIterator[Client]:
    async with impatient_server() as client:
        yield client


@pytest.fixture
async def trial(impatient: Client, cache: int) -> AsyncIterator[Trial]:
    """A trial on that server; its restores have more tasks than one run can take."""
    trial = Trial(impatient, cache)
    trial.world.tasks = 8
    async with trial.worker():
        yield trial
    assert await divergences(family(trial.client, trial.started)) == []


async def later_run(restore: Restore) -> bool:
    """A handle without a run id asks the newest run."""
    return (await restore.describe()).run_id != restore.first_execution_run_id


async def test_the_runs_together_answer_as_one_would(trial: Trial) -> None:
    world = trial.world
    restore = await trial.start(concurrency=2)

    result = await restore.result()

    assert await later_run(restore)
    assert (result.segments, result.rows) == (SEGMENTS * world.tasks, ROWS * world.tasks)
    assert (result.objects, result.bytes) == (OBJECTS * world.tasks, BYTES * world.tasks)
    assert sorted(world.begun) == list(range(world.tasks)), "each task is copied once"
    assert world.published == set(range(world.tasks))
    assert world.job == 2**40 + 1, "the snapshot is opened once"
    found = (await restore.describe()).typed_search_attributes
    assert found[search_attributes.PHASE] == "completed"
    assert found[search_attributes.PERCENT] == 100


async def test_counts_clock_and_concurrency_are_carried_over(trial: Trial) -> None:
    world = trial.world
    world.held = {"copy_objects"}
    restore = await trial.start(concurrency=2)
    await world.reached("copy_objects/0", "copy_objects/1")
    await steer(restore, "set_concurrency", {"value": 3})
    await world.reached("copy_objects/2")
    before = await progress(restore)
    await lengthen(restore)

    world.held = {f"copy_objects/{index}" for index in range(3, world.tasks)}
    await eventually(lambda: later_run(restore), "a new run goes on")
    await world.reached(*(f"copy_objects/{index}" for index in (3, 4, 5)))
    after = await progress(restore)

    assert after.phase == "copying"
    assert after.concurrency == 3
    assert (after.segments_done, after.objects_done, after.bytes_done) == (
        3 * SEGMENTS,
        3 * OBJECTS,
        3 * BYTES,
    )
    assert after.started_at == before.started_at
    assert len(world.active) == 3
    world.release()
    assert (await restore.result()).objects == OBJECTS * world.tasks


async def test_a_restore_that_is_paused_while_it_drains_stays_paused_in_the_next_run(trial: Trial) -> None:
    world = trial.world
    world.held = {"copy_objects"}
    restore = await trial.start(concurrency=2)
    await world.reached("copy_objects/0", "copy_objects/1")
    await lengthen(restore)
    world.held = {"copy_objects/1"}
    await eventually(lambda: _has_done(restore, OBJECTS), "one task is done, the other is waited for")
    assert sorted(world.begun) == [0, 1], "nothing is started while a run drains"

    await steer(restore, "pause")
    await eventually(lambda: later_run(restore), "a new run goes on")
    shown = await progress(restore)

    assert shown.paused
    assert shown.objects_done == OBJECTS
    assert world.active == []
    world.release()
    await steer(restore, "resume")
    result = await restore.result()
    assert (result.objects, result.objects_skipped) == (OBJECTS * world.tasks, OBJECTS // 2)
    assert sorted(world.begun) == [0, 1, *range(1, world.tasks)]


async def test_a_failure_in_a_later_run_rolls_back_what_all_runs_did(trial: Trial) -> None:
    world = trial.world
    last = world.tasks - 1
    world.errors = {f"copy_objects/{last}": ObjectMissing("object 9 is absent")}
    restore = await trial.start(concurrency=2)

    failure = await failure_of(restore)

    assert await later_run(restore)
    assert (failure.type, failure.message) == ("ObjectMissing", "object 9 is absent")
    assert len(world.rollbacks) == 1
    assert world.remains == []


async def test_a_cancel_while_a_run_drains_rolls_back(trial: Trial) -> None:
    world = trial.world
    world.held = {"copy_objects"}
    restore = await trial.start(concurrency=2)
    await world.reached("copy_objects/0", "copy_objects/1")
    await lengthen(restore)
    world.held = {"copy_objects/1"}
    await eventually(lambda: _has_done(restore, OBJECTS), "one task is done, the other is waited for")

    await restore.cancel()
    await ends_cancelled(restore)

    assert not await later_run(restore)
    assert world.remains == []


async def test_a_cancel_in_a_later_run_rolls_back_what_all_runs_did(trial: Trial) -> None:
    world = trial.world
    last = f"copy_objects/{world.tasks - 1}"
    world.held = {last}
    restore = await trial.start(concurrency=2)
    await world.reached(last)
    assert await later_run(restore)

    await restore.cancel()
    await ends_cancelled(restore)

    assert world.rollbacks[0].reason == "cancelled"
    assert world.remains == []


async def _has_done(restore: Restore, objects: int) -> bool:
    return (await progress(restore)).objects_done == objects
