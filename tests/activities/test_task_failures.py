"""What the record of a task says when an activity that works on it fails."""

from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.binlogs import BinlogActivities
from activities.copying import CopyActivities
from activities.task_failures import TaskFailures
from formats.proto.data_pb2 import (
    CopySegmentTask,
    CopySegmentTaskCompleted,
    CopySegmentTaskFailed,
    CopySegmentTaskInProgress,
)
from restore.errors import ObjectMissing, RestoreError, StoreUnavailable
from restore.steps import StagedPlan
from tests.activities.scene import Scene, task


class Failing(ActivityInboundInterceptor):
    """An activity that fails."""

    def __init__(self, error: RestoreError) -> None:
        self._error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        raise self._error


async def fail(scene: Scene, staged: StagedPlan, error: RestoreError, *more: object) -> None:
    """Let an activity on the first task fail as it does in a worker."""
    activity = TaskFailures(scene.clients).intercept_activity(Failing(error))
    call = ExecuteActivityInput(
        fn=CopyActivities.copy_objects, args=[task(staged), *more], executor=None, headers={}
    )
    with pytest.raises(type(error), match=str(error)):
        await ActivityEnvironment(scene.temporal).run(activity.execute_activity, call)


def record(scene: Scene, staged: StagedPlan) -> CopySegmentTask:
    (number,) = scene.the_plan(staged.plan).task_ids
    return CopySegmentTask.FromString(scene.value(scene.keys.copy_segment_task(number)))


async def test_a_task_that_failed_for_good_says_why_and_who_had_it(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.copy(staged)
    await fail(scene, staged, ObjectMissing("object x is absent"))
    found = record(scene, staged)
    assert (found.state, found.reason) == (CopySegmentTaskFailed, "object x is absent")
    assert (bool(found.node_id), found.task_version) == (True, 1)
    assert found.complete_ts > found.created_ts


async def test_a_task_that_is_tried_again_has_not_failed(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.copy(staged)
    await fail(scene, staged, StoreUnavailable("the store is slow"))
    assert (record(scene, staged).state, record(scene, staged).reason) == (CopySegmentTaskInProgress, "")


async def test_a_task_that_is_taken_up_again_has_no_reason_any_more(scene: Scene) -> None:
    staged = await scene.begin()
    await fail(scene, staged, ObjectMissing("object x is absent"))
    await scene.copy(staged)
    found = record(scene, staged)
    assert (found.state, found.reason, found.complete_ts) == (CopySegmentTaskInProgress, "", 0)


async def test_what_is_done_has_not_failed(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.run(BinlogActivities(scene.clients).complete_task, task(staged))
    before = scene.image()
    await fail(scene, staged, ObjectMissing("a late attempt"))
    assert before.changes(scene.image()) == set()
    assert record(scene, staged).state == CopySegmentTaskCompleted


async def test_without_its_reservation_a_restore_records_nothing(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.fence(staged.plan.job_id)
    before = scene.image()
    await fail(scene, staged, ObjectMissing("object x is absent"))
    assert before.changes(scene.image()) == set()


async def test_the_failure_is_told_even_where_it_cannot_be_recorded(scene: Scene) -> None:
    """The plan, which leads to the record, is gone."""
    staged = await scene.begin()
    gone = staged.model_copy(update={"plan": staged.plan.model_copy(update={"key": "restores/none"})})
    before = scene.image()
    await fail(scene, gone, ObjectMissing("object x is absent"))
    assert before.changes(scene.image()) == set()
