"""A worker that goes away in the middle is replaced by another, and the restore goes on."""

import pytest
from temporalio.client import Client

from restore.errors import ObjectMissing
from tests.workflows.trial import Trial, failure_of, progress, steer
from tests.workflows.world import OBJECTS
from workflows.plugin import RestorePlugin


async def move_to_another_worker(trial: Trial, temporal_address: str) -> None:
    """The next worker of the trial has a connection of its own, as another process would."""
    trial.client = await Client.connect(temporal_address, plugins=[RestorePlugin()])


@pytest.mark.parametrize("step", ["plan_restore", "copy_objects/0", "verify_restore", "publish_restore"])
async def test_a_restore_is_finished_by_another_worker(
    trial: Trial, temporal_address: str, step: str
) -> None:
    world = trial.world
    world.held = {step}
    async with trial.worker():
        restore = await trial.start()
        await world.reached(step)
    assert world.standing == set()
    await move_to_another_worker(trial, temporal_address)

    world.release()
    async with trial.worker():
        result = await restore.result()
        assert (await progress(restore)).phase == "completed"

    assert result.objects == OBJECTS * world.tasks
    assert world.published == {0, 1}
    assert world.rollbacks == []


async def test_a_paused_restore_stays_paused_on_another_worker(trial: Trial, temporal_address: str) -> None:
    world = trial.world
    world.held = {"copy_objects"}
    async with trial.worker():
        restore = await trial.start()
        await world.reached("copy_objects")
        await steer(restore, "pause")
    await move_to_another_worker(trial, temporal_address)

    world.release()
    async with trial.worker():
        assert (await progress(restore)).paused
        assert world.completed == set()
        await steer(restore, "resume")
        assert (await restore.result()).objects == OBJECTS * world.tasks


async def test_a_rollback_is_finished_by_another_worker(trial: Trial, temporal_address: str) -> None:
    world = trial.world
    world.errors = {"copy_objects/0": ObjectMissing("object 1 is absent")}
    world.held = {"remove_objects"}
    async with trial.worker():
        restore = await trial.start()
        await world.reached("remove_objects")
    await move_to_another_worker(trial, temporal_address)

    world.release()
    async with trial.worker():
        failure = await failure_of(restore)

    assert failure.type == "ObjectMissing"
    assert world.remains == []
