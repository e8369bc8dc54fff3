from collections.abc import Awaitable, Callable

import pytest

from activities.binlogs import BinlogActivities
from activities.rollback import RollbackActivities
from formats.proto.data_pb2 import CopySegmentJob, CopySegmentJobFailed
from restore.errors import InvalidRequest, ObjectMismatch, ObjectMissing
from restore.steps import StagedPlan
from stores.ports import Location
from tests.activities.image import Image
from tests.activities.scene import PART, Scene, task
from tests.activities.uploads import begin_upload
from tests.activities.watched_metadata import WatchedMetadata

Stage = Callable[[Scene], Awaitable[str]]


async def planned(scene: Scene) -> str:
    return (await scene.plan()).job_id


async def reserved(scene: Scene) -> str:
    return (await scene.begin(partitions=PART)).plan.job_id


async def half_copied(scene: Scene) -> str:
    staged = await scene.begin(partitions=PART)
    for each in scene.objects(staged.plan)[::7]:
        scene.place(each)
    return staged.plan.job_id


async def half_registered(scene: Scene) -> str:
    staged = await scene.begin(partitions=PART)
    await scene.copy(staged)
    await scene.run(BinlogActivities(scene.clients).update_binlogs, task(staged))
    for key in list(registered(scene))[::3]:
        scene.drop(key)
    return staged.plan.job_id


def registered(scene: Scene) -> list[str]:
    """The keys of the target's segments and logs."""
    return [
        key for key in scene.image().records if f"log/{scene.collection}/" in key or "coord-meta/s/" in key
    ]


async def all_staged(scene: Scene) -> str:
    return (await scene.stage(partitions=PART)).plan.job_id


async def kept(scene: Scene) -> str:
    return (await scene.keep(await scene.stage(partitions=PART))).plan.job_id


async def fenced(scene: Scene) -> str:
    job_id = await all_staged(scene)
    await scene.fence(job_id)
    return job_id


async def without_records(scene: Scene) -> str:
    job_id = await all_staged(scene)
    await scene.run(RollbackActivities(scene.clients).remove_records, await scene.fence(job_id))
    return job_id


async def without_objects(scene: Scene) -> str:
    job_id = await all_staged(scene)
    steps, fence = RollbackActivities(scene.clients), await scene.fence(job_id)
    await scene.run(steps.remove_records, fence)
    await scene.run(steps.remove_objects, fence)
    return job_id


STAGES = [
    planned,
    reserved,
    half_copied,
    half_registered,
    all_staged,
    kept,
    fenced,
    without_records,
    without_objects,
]


def assert_nothing_is_left(scene: Scene, before: Image, job_id: str, reason: str = "tried out") -> None:
    """Only the id counter and the failed job's record tell of the restore."""
    job = scene.keys.copy_segment_job(int(job_id))
    assert before.changes(scene.image()) == {scene.keys.id_counter, job}
    record = CopySegmentJob.FromString(scene.value(job))
    assert (record.state, record.reason) == (CopySegmentJobFailed, reason)
    assert record.cleanup_ts > 0


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.__name__)
async def test_nothing_of_a_restore_is_left_whatever_it_had_reached(scene: Scene, stage: Stage) -> None:
    before = scene.image()
    job_id = await stage(scene)
    await scene.roll_back(job_id)
    assert_nothing_is_left(scene, before, job_id)


@pytest.mark.parametrize("stage", [reserved, all_staged], ids=lambda stage: stage.__name__)
async def test_a_second_rollback_finds_nothing_to_do(scene: Scene, stage: Stage) -> None:
    before = scene.image()
    job_id = await stage(scene)
    await scene.roll_back(job_id)
    after = scene.image()
    assert await scene.roll_back(job_id, reason="again") == (0, 0)
    assert after.changes(scene.image()) == set()
    assert_nothing_is_left(scene, before, job_id)


async def test_every_step_may_be_repeated(scene: Scene) -> None:
    before = scene.image()
    job_id = await all_staged(scene)
    steps = RollbackActivities(scene.clients)
    fence = await scene.fence(job_id)
    assert await scene.fence(job_id) == fence
    for _ in range(2):
        await scene.run(steps.remove_records, fence)
    for _ in range(2):
        await scene.run(steps.remove_objects, fence)
    for _ in range(2):
        await scene.run(steps.forget_restore, fence)
    assert_nothing_is_left(scene, before, job_id)


async def test_a_plan_that_was_never_finished_is_removed(scene: Scene) -> None:
    before = scene.image()
    ref = await scene.plan()
    scene.s3.delete_object(Bucket=scene.bucket, Key=ref.key)
    await scene.roll_back(ref.job_id)
    assert before.changes(scene.image()) == {scene.keys.id_counter}


async def test_what_was_removed_is_counted(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    records = await scene.prove(staged)
    assert await scene.roll_back(staged.plan.job_id) == (records, staged.plan.objects)


async def test_a_target_is_free_after_a_rollback(scene: Scene) -> None:
    await scene.roll_back(await all_staged(scene))
    staged = await scene.finish(partitions=PART)
    assert staged.plan.segments == 2


class Killed(BaseException):
    """The worker's end, in the middle of something."""


def kill() -> None:
    raise Killed


async def test_a_kill_between_the_jobs_record_and_the_plan_is_survived(scene: Scene) -> None:
    before = scene.image()
    job_id = await without_objects(scene)
    fence = await scene.fence(job_id)
    scene.clients.metadata_stores["default"] = WatchedMetadata(scene.metadata, after_commit=kill)
    with pytest.raises(Killed):
        await scene.run(RollbackActivities(scene.clients).forget_restore, fence)
    scene.clients.metadata_stores["default"] = scene.metadata
    await scene.roll_back(job_id, reason="again")
    assert_nothing_is_left(scene, before, job_id)


async def test_unfinished_uploads_under_the_targets_folders_are_aborted(scene: Scene) -> None:
    before = scene.image()
    staged = await scene.begin(partitions=PART)
    for planned_object in scene.objects(staged.plan)[::30]:
        begin_upload(scene.s3, scene.bucket, planned_object.target, b"x" * 100)
    assert scene.image().uploads != set()
    await scene.roll_back(staged.plan.job_id)
    assert_nothing_is_left(scene, before, staged.plan.job_id)


async def test_what_is_not_the_restores_stays(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    stranger = scene.objects(staged.plan)[0].target + "0"
    elsewhere = "files/insert_log/1/2/3/4/5"
    for key in (stranger, elsewhere):
        scene.s3.put_object(Bucket=scene.bucket, Key=key, Body=b"")
    begin_upload(scene.s3, scene.bucket, elsewhere, b"x")
    other = scene.keys.segment(scene.collection, 5, 77)
    scene.put(other, b"")
    await scene.roll_back(staged.plan.job_id)
    after = scene.image()
    assert after.objects.keys() == {stranger, elsewhere}
    assert after.uploads == {elsewhere}
    assert other in after.records


async def test_another_restore_beside_it_is_left_alone(scene: Scene) -> None:
    scene.add_target("invoices")
    other = await scene.stage(target="invoices")
    before = scene.image()
    job_id = await all_staged(scene)
    await scene.roll_back(job_id)
    assert_nothing_is_left(scene, before, job_id)
    assert await scene.prove(other) > 0


async def published(scene: Scene) -> StagedPlan:
    staged = await scene.stage(partitions=PART)
    await scene.publish(staged)
    return staged


async def completed_and_swept(scene: Scene) -> StagedPlan:
    """As it is some hours later: the job's record is removed, the plan is still there."""
    staged = await scene.finish(partitions=PART)
    scene.drop(scene.keys.copy_segment_job(int(staged.plan.job_id)))
    return staged


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        (published, "is publishing, which cannot be undone"),
        (Scene.finish, "is completed: its segments are published in collection 'orders'"),
        (completed_and_swept, "is completed: its segments are published in collection 'orders'"),
    ],
    ids=["publishing", "completed", "completed and swept"],
)
async def test_what_is_published_is_never_rolled_back(
    scene: Scene, stage: Callable[[Scene], Awaitable[StagedPlan]], says: str
) -> None:
    staged = await stage(scene)
    before = scene.image()
    with pytest.raises(InvalidRequest, match=f"restore {staged.plan.job_id} {says}"):
        await scene.roll_back(staged.plan.job_id)
    assert before.changes(scene.image()) == set()


async def test_a_job_that_nobody_knows_has_nothing_to_roll_back(scene: Scene) -> None:
    before = scene.image()
    assert await scene.roll_back("1234567890") == (0, 0)
    assert before.changes(scene.image()) == set()


@pytest.mark.parametrize("job_id", ["", "orders", "-1", "../7", "1/2"])
async def test_a_job_id_that_is_no_number_is_refused(scene: Scene, job_id: str) -> None:
    with pytest.raises(InvalidRequest, match="job_id must be a number"):
        await scene.fence(job_id)


async def test_a_damaged_plan_is_named_and_nothing_is_removed(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    scene.s3.put_object(Bucket=scene.bucket, Key=staged.plan.key, Body=b"damaged")
    before = scene.image()
    with pytest.raises(ObjectMismatch, match=f"{staged.plan.key} is not a plan"):
        await scene.roll_back(staged.plan.job_id)
    assert before.changes(scene.image()) == set()


async def test_a_restore_that_holds_its_target_but_has_lost_its_plan_is_not_taken_for_rolled_back(
    scene: Scene,
) -> None:
    job_id = await half_copied(scene)
    header = scene.clients.archive("default").header_key(job_id)
    at = Location(scene.clients.profile("default").s3.bucket, header)
    plan, before = scene.clients.objects("default").get(at), scene.image()
    scene.clients.objects("default").delete(at.bucket, [header])

    with pytest.raises(ObjectMissing, match=f"plan of restore {job_id}, is absent.*{scene.collection}"):
        await scene.fence(job_id)

    scene.clients.objects("default").put(at, plan)
    assert before.changes(scene.image()) == set()
    await scene.roll_back(job_id)
