"""Whoever lost the reservation writes nothing: not to etcd, and not to the bucket."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from activities.binlogs import BinlogActivities
from activities.copying import CopyActivities
from activities.indexes import IndexActivities
from activities.publishing import PublishActivities
from activities.reserving import ReserveActivities
from activities.verifying import VerifyActivities
from restore.errors import Fenced, ObjectMissing, TargetBusy
from restore.plan import PlanRef
from restore.reservation import Owner
from restore.steps import Claim, StagedPlan
from stores.reservations import Reservations
from tests.activities.scene import PART, WORKFLOW, Scene, completion, task
from tests.activities.watched_metadata import WatchedMetadata

PATIENCE = 30.0
Call = tuple[Callable[[Any], Any], Any]


def writing(scene: Scene, staged: StagedPlan) -> Iterator[Call]:
    """Every activity that writes for a restore, with what its old epoch would call it with."""
    clients, own = scene.clients, task(staged)
    yield CopyActivities(clients).copy_objects, own
    yield BinlogActivities(clients).update_binlogs, own
    yield IndexActivities(clients).sync_vector_scalar_indexes, own
    yield IndexActivities(clients).sync_text_indexes, own
    yield IndexActivities(clients).sync_json_indexes, own
    yield BinlogActivities(clients).complete_task, own
    yield VerifyActivities(clients).verify_restore, staged
    yield PublishActivities(clients).publish_restore, staged
    yield PublishActivities(clients).complete_restore, completion(staged)
    yield ReserveActivities(clients).keep_restore, staged


async def registered(scene: Scene) -> StagedPlan:
    """A restore that has begun with everything, so that each step would have something to write."""
    staged = await scene.begin(partitions=PART)
    await scene.run(BinlogActivities(scene.clients).update_binlogs, task(staged))
    return staged


async def assert_all_fenced(scene: Scene, staged: StagedPlan) -> None:
    before = scene.image()
    for step, argument in writing(scene, staged):
        with pytest.raises(Fenced):
            await scene.run(step, argument)
        assert before.changes(scene.image()) == set(), step.__name__


async def test_after_a_rollback_began_nothing_writes(scene: Scene) -> None:
    staged = await registered(scene)
    await scene.fence(staged.plan.job_id)
    await assert_all_fenced(scene, staged)
    before = scene.image()
    with pytest.raises(Fenced, match="rolling_back"):
        await scene.reserve(staged.plan)
    assert before.changes(scene.image()) == set()


async def test_when_another_restore_has_the_target_nothing_writes(scene: Scene) -> None:
    staged = await registered(scene)
    reservations = Reservations(scene.metadata, scene.keys)
    assert reservations.release(scene.collection, staged.epoch, {})
    other = Owner(job_id="77", workflow_id="w", state="active", since="now", fingerprint="f")
    reservations.take(scene.collection, other, {})
    await assert_all_fenced(scene, staged)
    with pytest.raises(TargetBusy, match="restore 77"):
        await scene.reserve(staged.plan)


async def test_when_the_reservation_is_gone_nothing_writes(scene: Scene) -> None:
    staged = await registered(scene)
    scene.drop(scene.keys.reservation(scene.collection))
    await assert_all_fenced(scene, staged)


async def test_when_a_later_run_took_over_the_earlier_one_writes_nothing(scene: Scene) -> None:
    earlier = await scene.keep(await registered(scene))
    later = await scene.begin(partitions=PART)
    assert later.plan == earlier.plan
    await assert_all_fenced(scene, earlier)
    await scene.copy(later)


async def test_after_a_rollback_a_late_worker_writes_nothing(scene: Scene) -> None:
    """Its plan is gone, but it may have read it before."""
    staged = await registered(scene)
    await scene.roll_back(staged.plan.job_id)
    before = scene.image()
    late = [*writing(scene, staged), (VerifyActivities(scene.clients).verify_objects, task(staged))]
    for step, argument in late:
        with pytest.raises((Fenced, ObjectMissing)):
            await scene.run(step, argument)
        assert before.changes(scene.image()) == set(), step.__name__


async def test_after_a_rollback_another_worker_cannot_reserve(scene: Scene) -> None:
    staged = await registered(scene)
    await scene.roll_back(staged.plan.job_id)
    scene.clients.forget_plans()
    before = scene.image()
    with pytest.raises(ObjectMissing, match=staged.plan.key):
        await scene.run(
            ReserveActivities(scene.clients).reserve_target, Claim(plan=staged.plan, workflow_id=WORKFLOW)
        )
    assert before.changes(scene.image()) == set()


@pytest.mark.parametrize("begin", [Scene.begin, Scene.plan], ids=["reserved", "only planned"])
async def test_after_a_rollback_a_late_worker_cannot_reserve(
    scene: Scene, begin: Callable[[Scene], Awaitable[StagedPlan | PlanRef]]
) -> None:
    """Else the target would be busy for ever, with a restore that has no plan any more."""
    begun = await begin(scene)
    ref = begun.plan if isinstance(begun, StagedPlan) else begun
    assert len(list(scene.clients.archive("default").segments(ref, 0))) == 3  # this worker has read it
    await scene.roll_back(ref.job_id)
    before = scene.image()
    with pytest.raises(Fenced, match=f"restore {ref.job_id} has ended"):
        await scene.reserve(ref)
    assert before.changes(scene.image()) == set()


async def test_a_reservation_that_comes_while_a_rollback_begins_is_found_or_refused(scene: Scene) -> None:
    ref = await scene.plan()
    before = scene.image()
    loop = asyncio.get_running_loop()

    def reserve() -> None:
        asyncio.run_coroutine_threadsafe(scene.reserve(ref), loop).result(PATIENCE)

    scene.clients.metadata_stores["default"] = WatchedMetadata(scene.metadata, before_commit=reserve)
    await scene.roll_back(ref.job_id)
    job = scene.keys.copy_segment_job(int(ref.job_id))
    changed = before.changes(scene.image())
    assert {key for key in changed if key not in before.objects} == {job}
    assert scene.metadata.get(scene.keys.reservation(scene.collection)) is None
