"""The ways that a restore can go, one history file for each."""

from collections.abc import Awaitable, Callable

from restore.errors import ObjectMissing
from tests.workflows.impatient import lengthen
from tests.workflows.trial import Restore, Trial, ends_cancelled, failure_of, steer


async def ok(trial: Trial) -> None:
    """A target that is made, two tasks, with their reports."""
    trial.world.absent, trial.world.reports = True, True
    await (await trial.start()).result()


async def continued(trial: Trial) -> None:
    """A second run goes on with counts, a new concurrency, a pause, and a task that it interrupted."""
    world = trial.world
    world.tasks = 3
    restore = await _copying(trial, concurrency=2)
    await steer(restore, "set_concurrency", {"value": 1})
    await lengthen(restore)
    world.held = {"copy_objects/1"}
    await world.until(lambda: 0 in world.completed, "one task is done, the other is waited for")
    await steer(restore, "pause")
    world.release()
    await steer(restore, "resume")
    await restore.result()


async def failed(trial: Trial) -> None:
    """One task fails, its sibling is cancelled, the rollback removes all."""
    world = trial.world
    world.errors = {"copy_objects/1": ObjectMissing("object 1 is absent")}
    world.held = {"copy_objects"}
    restore = await trial.start()
    await world.reached("copy_objects/0", "copy_objects/1")
    world.held = {"copy_objects/0"}
    await failure_of(restore)


async def cancelled(trial: Trial) -> None:
    """Cancelled while it copies."""
    restore = await _copying(trial, concurrency=2)
    await restore.cancel()
    await ends_cancelled(restore)


async def paused(trial: Trial) -> None:
    """Paused and resumed while it copies."""
    restore = await _copying(trial, concurrency=2)
    await steer(restore, "pause")
    trial.world.release()
    await steer(restore, "resume")
    await restore.result()


async def kept(trial: Trial) -> None:
    """Fails, keeps what it staged, and is gone on with by a later restore."""
    world = trial.world
    world.errors = {"copy_objects/1": ObjectMissing("object 1 is absent")}
    await failure_of(await trial.start(on_failure="keep", concurrency=1))
    world.errors = {}
    await (await trial.start(on_failure="keep", concurrency=1)).result()


PATHS: dict[str, Callable[[Trial], Awaitable[None]]] = {
    path.__name__: path for path in (ok, continued, failed, cancelled, paused, kept)
}


async def _copying(trial: Trial, concurrency: int) -> Restore:
    trial.world.held = {"copy_objects"}
    restore = await trial.start(concurrency=concurrency)
    await trial.world.reached("copy_objects/0", "copy_objects/1")
    return restore
