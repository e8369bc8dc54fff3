"""An attempt that comes late, after another one has done the same and more, sets nothing back."""

import pytest

from activities.rollback import RollbackActivities
from formats.proto.data_pb2 import CopySegmentJob, CopySegmentTask, CopySegmentTaskCompleted
from restore.errors import Fenced
from restore.steps import StagedPlan
from stores.job_ledger import JobLedger
from tests.activities.scene import Scene


def tasks(scene: Scene, staged: StagedPlan) -> list[CopySegmentTask]:
    return list(JobLedger(scene.metadata, scene.keys).tasks(int(staged.plan.job_id)))


async def test_reserving_leaves_the_tasks_as_far_as_they_are(scene: Scene) -> None:
    staged = await scene.stage()
    before = scene.image()

    assert await scene.reserve(staged.plan) == staged

    assert [each.state for each in tasks(scene, staged)] == [CopySegmentTaskCompleted]
    assert before.changes(scene.image()) == set()


async def test_copying_leaves_a_task_completed(scene: Scene) -> None:
    staged = await scene.stage()
    before = scene.image()

    assert (await scene.copy(staged)).skipped == staged.plan.objects

    assert before.changes(scene.image()) == set()


async def test_a_later_run_counts_the_segments_of_what_was_kept_anew(scene: Scene) -> None:
    await scene.keep(await scene.stage())
    staged = await scene.stage()
    job = CopySegmentJob.FromString(scene.value(scene.keys.copy_segment_job(int(staged.plan.job_id))))
    assert job.copied_segments == job.total_segments
    assert [each.state for each in tasks(scene, staged)] == [CopySegmentTaskCompleted]


async def test_a_rollback_whose_epoch_is_over_removes_no_task(scene: Scene) -> None:
    staged = await scene.begin()
    fence = await scene.fence(staged.plan.job_id)
    before = scene.image()

    late = fence.model_copy(update={"epoch": staged.epoch})
    with pytest.raises(Fenced):
        await scene.run(RollbackActivities(scene.clients).remove_records, late)

    assert before.changes(scene.image()) == set()
