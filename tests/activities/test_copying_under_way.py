"""What happens while objects are being copied: progress, cancels, surprises."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from activities.copying import CopyActivities
from restore.errors import ObjectMismatch, ObjectMissing
from restore.profiles import S3Settings
from restore.steps import CopyReport, StagedPlan
from samples.world import digests
from stores.clients import COPY_THREADS
from stores.ports import Location
from stores.s3_connection import Access
from tests.activities.held_store import HeldStore
from tests.activities.scene import Scene, task

PATIENCE = 30.0


@pytest.fixture
def held(scene: Scene, s3_settings: S3Settings) -> Iterator[HeldStore]:
    """The destination's store, with copies that can be made to stand still."""
    access, secret = (key.get_secret_value() for key in s3_settings.credentials() or ())
    store = HeldStore(Access("default", s3_settings.endpoint, s3_settings.region, access, secret))
    scene.clients.stores["default"] = store
    yield store
    store.close()


def in_place(scene: Scene, staged: StagedPlan) -> dict[str, str]:
    """The SHA-256 of each planned object that is in place, by its source's key."""
    planned = {each.target: each.source for each in scene.objects(staged.plan)}
    return {planned[key]: digest for key, digest in digests(scene.s3, scene.bucket, planned).items()}


def whole(scene: Scene, found: dict[str, str]) -> bool:
    return all(scene.written.digests[key] == digest for key, digest in found.items())


async def test_a_cancel_lets_what_is_in_flight_end_and_begins_nothing_more(
    scene: Scene, held: HeldStore
) -> None:
    staged = await scene.begin()
    held.hold()
    environment, copying = scene.start(CopyActivities(scene.clients).copy_objects, task(staged))
    await asyncio.to_thread(held.await_begun, COPY_THREADS)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    found = in_place(scene, staged)
    assert sorted(found) == sorted(held.begun)
    assert len(found) == COPY_THREADS < staged.plan.objects
    assert whole(scene, found)
    assert scene.image().uploads == set()


async def test_after_a_cancel_the_next_attempt_goes_on_where_it_ended(scene: Scene, held: HeldStore) -> None:
    staged = await scene.begin()
    held.hold()
    environment, copying = scene.start(CopyActivities(scene.clients).copy_objects, task(staged))
    await asyncio.to_thread(held.await_begun, COPY_THREADS)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    held.release()
    held.begun.clear()
    count = await scene.copy(staged)
    assert (count.skipped, len(held.begun)) == (COPY_THREADS, staged.plan.objects - COPY_THREADS)
    found = in_place(scene, staged)
    assert len(found) == staged.plan.objects
    assert whole(scene, found)


async def test_a_cancel_before_anything_was_copied_leaves_nothing(scene: Scene) -> None:
    staged = await scene.begin()
    environment, copying = scene.start(CopyActivities(scene.clients).copy_objects, task(staged))
    await asyncio.sleep(0)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    assert in_place(scene, staged) == {}


async def test_a_source_that_vanishes_after_it_was_listed_is_named(scene: Scene, held: HeldStore) -> None:
    staged = await scene.begin()
    source = scene.objects(staged.plan)[0].source

    def vanish(at: Location) -> None:
        assert at.key == source
        scene.s3.delete_object(Bucket=at.bucket, Key=at.key)

    held.surprise = vanish
    body = scene.body(source, scene.written.bucket)
    with scene.source(source, body), pytest.raises(ObjectMissing, match=f"{scene.written.bucket}/{source}"):
        await scene.copy(staged)
    found = in_place(scene, staged)
    assert source not in found
    assert whole(scene, found)


async def test_a_source_that_changes_after_it_was_listed_is_named(scene: Scene, held: HeldStore) -> None:
    staged = await scene.begin()
    source = scene.objects(staged.plan)[0].source
    body = scene.body(source, scene.written.bucket)
    held.surprise = lambda at: scene.s3.put_object(Bucket=at.bucket, Key=at.key, Body=body[::-1])
    with scene.source(source, body), pytest.raises(ObjectMismatch, match=f"{scene.written.bucket}/{source}"):
        await scene.copy(staged)
    assert whole(scene, in_place(scene, staged))


async def test_heartbeats_tell_how_far_it_is(scene: Scene, held: HeldStore) -> None:
    staged = await scene.begin()
    first = sum(scene.place(each) for each in scene.objects(staged.plan)[:3])
    held.hold()
    environment, copying = scene.start(CopyActivities(scene.clients).copy_objects, task(staged))
    beaten = asyncio.Event()
    told: list[CopyReport] = []

    def listen(*details: CopyReport) -> None:
        told.extend(details)
        if details:
            beaten.set()

    environment.on_heartbeat = listen
    async with asyncio.timeout(PATIENCE):
        await beaten.wait()
    assert told[0] == CopyReport(index=0, objects=3, bytes=first)
    held.release()
    await copying
    assert told[-1] == CopyReport(index=0, objects=staged.plan.objects, bytes=scene.written.bytes)


@pytest.fixture
async def parent(scene: Scene) -> AsyncIterator[WorkflowHandle[object, object]]:
    """A workflow that nobody works on: it only collects signals."""
    name = f"restore/default/t-{secrets.token_hex(6)}"
    handle = await scene.temporal.start_workflow("RestoreSnapshot", id=name, task_queue=name)
    yield handle
    await handle.terminate()


async def signals(handle: WorkflowHandle[object, object], scene: Scene) -> list[CopyReport]:
    history = await handle.fetch_history()
    payloads = [
        event.workflow_execution_signaled_event_attributes.input.payloads
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    ]
    return [(await scene.temporal.data_converter.decode(each, [CopyReport]))[0] for each in payloads]


async def test_the_parent_hears_of_progress(scene: Scene, parent: WorkflowHandle[object, object]) -> None:
    staged = await scene.begin()
    order = task(staged).model_copy(update={"parent": parent.id})
    await scene.run(CopyActivities(scene.clients).copy_objects, order)
    reports = await signals(parent, scene)
    assert reports
    assert all(report.index == 0 for report in reports)
    counts = [(report.objects, report.bytes) for report in reports]
    assert counts == sorted(counts)
    assert counts[-1] <= (staged.plan.objects, scene.written.bytes)


async def test_a_task_that_finds_all_in_place_reports_nothing(
    scene: Scene, parent: WorkflowHandle[object, object]
) -> None:
    staged = await scene.begin()
    await scene.copy(staged)
    order = task(staged).model_copy(update={"parent": parent.id})
    await scene.run(CopyActivities(scene.clients).copy_objects, order)
    assert await signals(parent, scene) == []
