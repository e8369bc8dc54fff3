import re
from typing import TYPE_CHECKING

import pytest

from formats.proto.data_pb2 import CopySegmentTask, CopySegmentTaskInProgress
from restore.errors import Fenced, ObjectMismatch, ObjectMissing
from restore.plan import PlannedObject
from restore.profiles import Profile
from restore.steps import CopyCount, StagedPlan
from samples.world import digests
from tests.activities.image import listed
from tests.activities.scene import PART, Scene
from tests.activities.uploads import upload_in_parts

if TYPE_CHECKING:
    pass


def copies(scene: Scene, staged: StagedPlan) -> dict[str, str]:
    """The SHA-256 of each planned object that is in place, by its source's key."""
    planned = {each.target: each.source for each in scene.objects(staged.plan)}
    found = digests(scene.s3, scene.bucket, planned)
    return {planned[key]: digest for key, digest in found.items()}


def originals(scene: Scene, staged: StagedPlan) -> dict[str, str]:
    return {each.source: scene.written.digests[each.source] for each in scene.objects(staged.plan)}


def of_kind(scene: Scene, staged: StagedPlan, kind: str) -> PlannedObject:
    return next(each for each in scene.objects(staged.plan) if each.kind == kind)


async def test_every_object_is_copied_as_it_is(scene: Scene) -> None:
    staged = await scene.begin()
    count = await scene.copy(staged)
    assert count == CopyCount(objects=staged.plan.objects, skipped=0, bytes=scene.written.bytes)
    assert copies(scene, staged) == originals(scene, staged)


async def test_nothing_but_the_planned_objects_and_the_tasks_record_changes(scene: Scene) -> None:
    staged = await scene.begin()
    before = scene.image()
    await scene.copy(staged)
    task_key = scene.keys.copy_segment_task(scene.the_plan(staged.plan).task_ids[0])
    targets = {each.target for each in scene.objects(staged.plan)}
    assert before.changes(scene.image()) == {task_key, *targets}
    record = CopySegmentTask.FromString(scene.value(task_key))
    assert (record.state, record.task_version) == (CopySegmentTaskInProgress, 1)


@pytest.mark.usefixtures("small_tasks")
async def test_a_task_copies_its_own_segments_alone(scene: Scene) -> None:
    staged = await scene.begin()
    count = await scene.copy(staged, 1)
    own = {each.source for each in scene.the_plan(staged.plan).objects(scene.segments(staged.plan)[1])}
    assert copies(scene, staged).keys() == own
    assert count.objects == len(own)


async def test_what_is_in_place_is_counted_and_left(scene: Scene) -> None:
    staged = await scene.begin()
    there = scene.objects(staged.plan)[::9]
    for each in there:
        scene.place(each)
    count = await scene.copy(staged)
    assert count == CopyCount(objects=staged.plan.objects, skipped=len(there), bytes=scene.written.bytes)
    assert all(scene.placed(each) for each in there)
    assert copies(scene, staged) == originals(scene, staged)


async def test_copying_twice_copies_nothing_the_second_time(scene: Scene) -> None:
    staged = await scene.begin()
    there = scene.objects(staged.plan)[:5]
    await scene.copy(staged)
    for each in there:
        scene.place(each)
    count = await scene.copy(staged)
    assert count.skipped == count.objects == staged.plan.objects
    assert all(scene.placed(each) for each in there)


@pytest.mark.parametrize("change", ["truncated", "grown", "other bytes", "empty"])
async def test_what_differs_at_the_target_is_copied_anew(scene: Scene, change: str) -> None:
    staged = await scene.begin(partitions=PART)
    planned = of_kind(scene, staged, "index")
    body = scene.body(planned.source, scene.written.bucket)
    wrong = {"truncated": body[:-1], "grown": body + b"x", "other bytes": body[::-1], "empty": b""}[change]
    assert wrong != body
    scene.place(planned, wrong)
    assert (await scene.copy(staged)).skipped == 0
    assert copies(scene, staged) == originals(scene, staged)


async def test_an_object_that_was_uploaded_in_parts_counts_as_in_place(scene: Scene) -> None:
    """Its ETag tells nothing of its content; verifying reads it."""
    staged = await scene.begin(partitions=PART)
    planned = of_kind(scene, staged, "insert")
    upload_in_parts(scene.s3, scene.bucket, planned.target, scene.body(planned.source, scene.written.bucket))
    assert (await scene.copy(staged)).skipped == 1
    assert "-" in listed(scene.s3, scene.bucket, planned.target)[planned.target]


@pytest.mark.parametrize("kind", ["insert", "stats", "delta", "index", "text", "json"])
async def test_an_absent_source_is_named_before_anything_is_copied(scene: Scene, kind: str) -> None:
    staged = await scene.begin(partitions=PART)
    source = of_kind(scene, staged, kind).source
    at = re.escape(f"{kind} object s3://{scene.written.bucket}/{source}")
    with scene.source(source, None), pytest.raises(ObjectMissing, match=f"{at} is named by .* is absent"):
        await scene.copy(staged)
    assert copies(scene, staged) == {}


@pytest.mark.parametrize("kind", ["insert", "stats", "delta"])
@pytest.mark.parametrize("more", [-1, 1], ids=["truncated", "grown"])
async def test_a_source_of_another_size_is_named_before_anything_is_copied(
    scene: Scene, kind: str, more: int
) -> None:
    staged = await scene.begin(partitions=PART)
    source = of_kind(scene, staged, kind).source
    whole = scene.body(source, scene.written.bucket)
    at = re.escape(f"{kind} object s3://{scene.written.bucket}/{source}")
    sizes = f"has {len(whole) + more} bytes, expected {len(whole)}"
    with (
        scene.source(source, (whole + b"x")[: len(whole) + more]),
        pytest.raises(ObjectMismatch, match=f"{at} {sizes}"),
    ):
        await scene.copy(staged)
    assert copies(scene, staged) == {}


async def test_a_restore_that_lost_its_reservation_copies_nothing(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.fence(staged.plan.job_id)
    before = scene.image()
    with pytest.raises(Fenced, match="rolling_back"):
        await scene.copy(staged)
    assert before.changes(scene.image()) == set()


async def test_a_changed_plan_is_refused_by_its_key(scene: Scene) -> None:
    staged = await scene.begin()
    chunk = next(scene.the_plan(staged.plan).chunks)
    scene.s3.put_object(Bucket=scene.bucket, Key=chunk.key, Body=b"changed")
    scene.clients.forget_plans()
    before = scene.image()
    with pytest.raises(ObjectMismatch, match=f"s3://{scene.bucket}/{chunk.key} has SHA-256"):
        await scene.copy(staged)
    assert before.changes(scene.image()) == set()


@pytest.mark.usefixtures("apart")
async def test_between_two_stores_every_object_is_carried_as_it_is(scene: Scene) -> None:
    del scene.clients.stores["origin"]
    assert scene.clients.objects("origin").endpoint != scene.clients.objects("default").endpoint
    staged = await scene.begin()
    count = await scene.copy(staged)
    assert (count.objects, count.skipped) == (staged.plan.objects, 0)
    assert copies(scene, staged) == originals(scene, staged)
    assert (await scene.copy(staged)).skipped == staged.plan.objects
    assert (await scene.verify(staged)).objects == staged.plan.objects


async def test_source_and_destination_may_be_one_bucket(scene: Scene, profiles: dict[str, Profile]) -> None:
    scene.add_source_records()
    for key in scene.written.digests:
        scene.s3.copy_object(
            Bucket=scene.bucket, Key=key, CopySource={"Bucket": scene.written.bucket, "Key": key}
        )
    before = scene.image()
    staged = await scene.finish(source="default", snapshot=scene.written.key)
    after = scene.image()
    assert copies(scene, staged) == originals(scene, staged)
    assert {key: after.objects[key] for key in before.objects} == before.objects
