"""A worker that was asked to end begins nothing more; what it had in flight ends, the rest is for another."""

import asyncio
from collections.abc import Iterator

import pytest

from activities.copying import CopyActivities
from activities.planning import PlanningActivities
from restore.errors import StoreUnavailable
from restore.profiles import S3Settings
from restore.steps import PlanOrder
from stores.clients import COPY_THREADS
from stores.s3_connection import Access
from tests.activities.held_store import HeldStore
from tests.activities.scene import Scene, task


@pytest.fixture
def held(scene: Scene, s3_settings: S3Settings) -> Iterator[HeldStore]:
    """The destination's store, with copies that can be made to stand still."""
    access, secret = (key.get_secret_value() for key in s3_settings.credentials() or ())
    store = HeldStore(Access("default", s3_settings.endpoint, s3_settings.region, access, secret))
    scene.clients.stores["default"] = store
    yield store
    store.close()


async def test_copies_in_flight_end_and_the_next_worker_does_the_rest(scene: Scene, held: HeldStore) -> None:
    staged = await scene.begin()
    held.hold()
    environment, copying = scene.start(CopyActivities(scene.clients).copy_objects, task(staged))
    await asyncio.to_thread(held.await_begun, COPY_THREADS)

    environment.worker_shutdown()
    held.release()
    with pytest.raises(StoreUnavailable, match="this worker was asked to end"):
        await copying

    assert len(held.begun) == COPY_THREADS < staged.plan.objects
    assert (await scene.copy(staged)).skipped == COPY_THREADS
    assert len(held.begun) == staged.plan.objects


async def test_other_work_ends_at_its_next_look(scene: Scene) -> None:
    order = PlanOrder(job_id=await scene.open(), request=scene.request())
    before = scene.image()
    environment, planning = scene.start(PlanningActivities(scene.clients).plan_restore, order)
    environment.worker_shutdown()

    with pytest.raises(StoreUnavailable, match="this worker was asked to end"):
        await planning

    assert scene.image().objects == before.objects
