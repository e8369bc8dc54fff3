"""A cancel that comes while records are written: what is begun ends, and nothing more begins."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.binlogs import BinlogActivities
from activities.indexes import IndexActivities
from activities.planning import PlanningActivities
from activities.publishing import PublishActivities
from formats.proto.common_pb2 import Importing
from formats.proto.data_pb2 import SegmentInfo
from restore.steps import PlanOrder
from tests.activities.scene import Scene, task
from tests.activities.watched_metadata import WatchedMetadata


async def cancelled_after_a_write(
    scene: Scene, step: Callable[[Any], Coroutine[Any, Any, Any]], argument: Any
) -> None:
    """Run an activity that is cancelled when its first transaction is through."""
    loop, environment = asyncio.get_running_loop(), ActivityEnvironment(scene.temporal)

    async def arrive() -> None:
        environment.cancel()
        for _ in range(10):  # a cancel passes through a handful of the loop's turns
            await asyncio.sleep(0)

    def cancel() -> None:
        asyncio.run_coroutine_threadsafe(arrive(), loop).result()

    scene.clients.metadata_stores["default"] = WatchedMetadata(scene.metadata, after_commit=cancel)
    with pytest.raises(asyncio.CancelledError):
        await environment.run(step, argument)
    scene.clients.metadata_stores["default"] = scene.metadata


async def test_registering_ends_after_a_whole_segment(scene: Scene) -> None:
    staged = await scene.begin()
    before = scene.image()
    await cancelled_after_a_write(scene, BinlogActivities(scene.clients).update_binlogs, task(staged))
    changed = before.changes(scene.image())
    first = scene.segments(staged.plan)[0].target
    assert scene.keys.segment(*first.ids) in changed
    assert all(f"/{first.segment_id}" in key for key in changed)
    assert await scene.run(BinlogActivities(scene.clients).update_binlogs, task(staged)) > len(changed)


async def test_indexes_end_after_a_whole_segment(scene: Scene) -> None:
    staged = await scene.begin()
    before = scene.image()
    step = IndexActivities(scene.clients).sync_vector_scalar_indexes
    await cancelled_after_a_write(scene, step, task(staged))
    changed = before.changes(scene.image())
    first = scene.segments(staged.plan)[0].target
    assert len(changed) == 5
    assert all(f"/{first.segment_id}/" in key for key in changed)


async def test_planning_leaves_no_plan(scene: Scene) -> None:
    job_id = await scene.open()
    order = PlanOrder(job_id=job_id, request=scene.request())
    step = PlanningActivities(scene.clients).plan_restore
    await cancelled_after_a_write(scene, step, order)
    assert scene.image().objects == {}
    ref = await scene.run(step, order)
    assert ref.objects == scene.written.objects


async def test_publishing_shows_nothing_and_goes_on_later(scene: Scene) -> None:
    staged = await scene.stage()
    step = PublishActivities(scene.clients).publish_restore
    await cancelled_after_a_write(scene, step, staged)
    prefix = scene.keys.segments(scene.collection)
    assert {SegmentInfo.FromString(each.value).state for each in scene.metadata.scan(prefix)} == {Importing}
    assert await scene.publish(staged) == 3
