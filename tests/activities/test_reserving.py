from collections.abc import Callable

import pytest

from activities.binlogs import BinlogActivities
from activities.reserving import ReserveActivities
from activities.staging import Staging
from formats.proto.common_pb2 import Flushed
from formats.proto.data_pb2 import (
    CopySegmentJob,
    CopySegmentJobExecuting,
    CopySegmentJobFailed,
    CopySegmentJobPending,
    CopySegmentTask,
    CopySegmentTaskCompleted,
    CopySegmentTaskFailed,
    CopySegmentTaskPending,
    SegmentInfo,
)
from restore.errors import Fenced, ObjectMissing, TargetBusy, TargetNotEmpty
from restore.reservation import Owner
from restore.steps import StagedPlan
from stores.job_ledger import JobLedger
from stores.ports import MetadataStore, Transaction
from tests.activities.scene import WORKFLOW, Scene, task
from tests.activities.watched_metadata import WatchedMetadata


class Observed(WatchedMetadata):
    """A store at which somebody looks before every write."""

    def __init__(self, inner: MetadataStore, look: Callable[[], None]) -> None:
        super().__init__(inner)
        self._look = look

    def commit(self, transaction: Transaction) -> bool:
        """Apply a transaction after the look."""
        self._look()
        return super().commit(transaction)


def owner(scene: Scene) -> Owner:
    return Owner.decode(scene.value(scene.keys.reservation(scene.collection)))


async def test_a_reserved_target_has_owner_job_and_tasks_and_no_more(scene: Scene) -> None:
    ref = await scene.plan()
    before = scene.image()
    staged = await scene.reserve(ref)
    after = scene.image()
    job, reservation = scene.keys.copy_segment_job(int(ref.job_id)), scene.keys.reservation(scene.collection)
    tasks = {scene.keys.copy_segment_task(number) for number in scene.the_plan(ref).task_ids}
    assert before.changes(after) == {job, reservation, *tasks}
    assert after.records[reservation][1] == staged.epoch


async def test_a_job_is_pending_until_its_tasks_are_recorded(scene: Scene) -> None:
    """With the reservation comes the pending job, in one transaction; then it executes, as Milvus's does."""
    ref = await scene.plan()
    job, seen = scene.keys.copy_segment_job(int(ref.job_id)), list[tuple[int, bool]]()

    def look() -> None:
        if found := scene.metadata.get(job):
            tasks = all(map(scene.metadata.get, map(scene.keys.copy_segment_task, plan.task_ids)))
            seen.append((CopySegmentJob.FromString(found.value).state, tasks))
        else:
            assert scene.metadata.get(scene.keys.reservation(scene.collection)) is None

    plan = scene.the_plan(ref)
    scene.clients.metadata_stores["default"] = Observed(scene.metadata, look)
    await scene.reserve(ref)
    look()
    assert seen[0] == (CopySegmentJobPending, False)
    assert seen[-2:] == [(CopySegmentJobPending, True), (CopySegmentJobExecuting, True)]


async def test_the_owner_names_job_and_workflow(scene: Scene) -> None:
    staged = await scene.begin()
    found = owner(scene)
    assert (found.job_id, found.workflow_id, found.state) == (staged.plan.job_id, WORKFLOW, "active")


async def test_the_jobs_record_tells_what_is_restored(scene: Scene) -> None:
    staged = await scene.begin()
    job = CopySegmentJob.FromString(scene.value(scene.keys.copy_segment_job(int(staged.plan.job_id))))
    assert job.state == CopySegmentJobExecuting
    assert job.timeout_ts >> 18 == job.start_ts // 10**6 + 86_400_000
    assert (job.job_id, job.collection_id) == (int(staged.plan.job_id), scene.collection)
    assert (job.snapshot_name, job.source_collection_id) == ("nightly", scene.written.shape.collection_id)
    assert (job.total_segments, job.total_rows, job.copied_segments) == (3, staged.plan.rows, 0)
    assert [(each.source_segment_id, each.target_segment_id) for each in job.id_mappings] == [
        (each.source.segment_id, each.target.segment_id) for each in scene.segments(staged.plan)
    ]


@pytest.mark.usefixtures("small_tasks")
async def test_each_task_has_a_pending_record_with_its_segments(scene: Scene) -> None:
    staged = await scene.begin()
    plan = scene.the_plan(staged.plan)
    records = [
        CopySegmentTask.FromString(scene.value(scene.keys.copy_segment_task(number)))
        for number in plan.task_ids
    ]
    assert [each.state for each in records] == [CopySegmentTaskPending] * 3
    assert [each.task_id for each in records] == list(plan.task_ids)
    assert {each.job_id for each in records} == {plan.job_id}
    assert [[each.source_segment_id for each in record.id_mappings] for record in records] == [
        [each.segment_id] for each in scene.written.manifests
    ]


async def test_reserving_twice_is_reserving_once(scene: Scene) -> None:
    staged = await scene.begin()
    job = scene.keys.copy_segment_job(int(staged.plan.job_id))
    before = scene.image()
    assert await scene.reserve(staged.plan) == staged
    after = scene.image()
    assert {key: value for key, (value, _) in after.records.items() if "/copy-segment-task/" not in key} == {
        key: value for key, (value, _) in before.records.items() if "/copy-segment-task/" not in key
    }
    assert before.records[job] == after.records[job]


async def test_of_two_restores_the_second_is_told_of_the_first(scene: Scene) -> None:
    first, second = await scene.plan(), await scene.plan()
    await scene.reserve(first)
    before = scene.image()
    with pytest.raises(TargetBusy, match=f"restore {first.job_id} .workflow {WORKFLOW}, active since"):
        await scene.reserve(second)
    assert before.changes(scene.image()) == set()


async def test_a_target_that_was_filled_in_the_meantime_is_not_empty(scene: Scene) -> None:
    ref = await scene.plan()
    info = SegmentInfo(ID=77, collectionID=scene.collection, partitionID=5, state=Flushed)
    scene.put(scene.keys.segment(scene.collection, 5, 77), info.SerializeToString())
    with pytest.raises(TargetNotEmpty, match=r"'orders' received 1 segments .*77"):
        await scene.reserve(ref)


async def test_of_two_restores_the_second_finds_the_first_ones_segments(scene: Scene) -> None:
    late = await scene.plan()
    await scene.finish()
    with pytest.raises(TargetNotEmpty, match="'orders' received 3 segments"):
        await scene.reserve(late)


async def test_a_plan_that_is_gone_is_missed_by_its_key(scene: Scene) -> None:
    ref = await scene.plan()
    scene.s3.delete_object(Bucket=scene.bucket, Key=ref.key)
    before = scene.image()
    with pytest.raises(ObjectMissing, match=f"s3://{scene.bucket}/{ref.key}"):
        await scene.reserve(ref)
    assert before.changes(scene.image()) == set()


async def test_a_restore_that_is_rolled_back_cannot_reserve_again(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.fence(staged.plan.job_id)
    before = scene.image()
    with pytest.raises(Fenced, match="rolling_back"):
        await scene.reserve(staged.plan)
    assert before.changes(scene.image()) == set()


async def test_keeping_changes_owner_and_job_alone(scene: Scene) -> None:
    staged = await scene.stage()
    before = scene.image()
    await scene.keep(staged)
    key = scene.keys.copy_segment_job(int(staged.plan.job_id))
    assert before.changes(scene.image()) == {scene.keys.reservation(scene.collection), key}
    assert owner(scene).state == "kept"
    job = CopySegmentJob.FromString(scene.value(key))
    assert (job.state, job.cleanup_ts) == (CopySegmentJobFailed, 0)
    assert "kept for a later run" in job.reason


@pytest.mark.usefixtures("small_tasks")
async def test_a_kept_job_and_its_unfinished_tasks_have_failed_for_the_reason_of_one(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.register(staged, 0)
    await scene.copy(staged, 1)
    Staging(scene.clients, task(staged, 1)).fail("object x is absent")
    await scene.keep(staged)
    ledger, number = JobLedger(scene.metadata, scene.keys), int(staged.plan.job_id)
    records = {each.task_id: each for each in ledger.tasks(number)}
    found = [records[each] for each in scene.the_plan(staged.plan).task_ids]
    failed = CopySegmentTaskFailed
    assert [each.state for each in found] == [CopySegmentTaskCompleted, failed, failed]
    assert [each.reason for each in found] == ["", "object x is absent", "object x is absent"]
    assert [bool(each.node_id) for each in found] == [False, True, False]
    assert all(each.complete_ts > each.created_ts for each in found)
    job = ledger.job(number)
    assert job is not None
    assert (job.state, job.reason) == (CopySegmentJobFailed, "object x is absent")


async def test_a_job_that_is_gone_on_with_has_no_reason_any_more(scene: Scene) -> None:
    staged = await scene.begin()
    Staging(scene.clients, task(staged)).fail("object x is absent")
    await scene.keep(staged)
    again = await scene.begin()
    ledger, number = JobLedger(scene.metadata, scene.keys), int(again.plan.job_id)
    job, (record,) = ledger.job(number), ledger.tasks(number)
    assert job is not None
    assert (job.state, job.reason) == (CopySegmentJobExecuting, "")
    assert (record.state, record.reason, record.complete_ts) == (CopySegmentTaskPending, "", 0)


async def test_keeping_twice_is_keeping_once(scene: Scene) -> None:
    staged = await scene.keep(await scene.begin())
    before = scene.image()
    await scene.keep(staged)
    assert before.changes(scene.image()) == set()


async def test_what_is_kept_nobody_writes_to(scene: Scene) -> None:
    staged = await scene.keep(await scene.begin())
    before = scene.image()
    with pytest.raises(Fenced, match="kept"):
        await scene.run(BinlogActivities(scene.clients).update_binlogs, task(staged))
    assert before.changes(scene.image()) == set()


async def test_a_later_run_takes_over_what_was_kept(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage())
    staged = await scene.begin()
    assert staged.plan == kept.plan
    assert staged.epoch > kept.epoch
    assert owner(scene).state == "active"
    assert (await scene.copy(staged)).skipped == staged.plan.objects
    await scene.verify(staged)
    await scene.register(staged)
    assert await scene.prove(staged) > 0
    assert await scene.publish(staged) == 3


async def test_keeping_at_a_lost_epoch_is_fenced(scene: Scene) -> None:
    staged = await scene.begin()
    old = StagedPlan(plan=staged.plan, epoch=staged.epoch - 1)
    with pytest.raises(Fenced):
        await scene.run(ReserveActivities(scene.clients).keep_restore, old)
    assert owner(scene).state == "active"
