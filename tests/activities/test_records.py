"""update_binlogs, complete_task and the three index steps: a task's records in etcd."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.binlogs import BinlogActivities
from activities.indexes import IndexActivities
from formats.proto.common_pb2 import Importing
from formats.proto.data_pb2 import CopySegmentJob, CopySegmentTask, CopySegmentTaskCompleted, SegmentInfo
from restore.errors import Fenced
from restore.steps import StagedPlan
from stores.job_ledger import JobLedger
from stores.ports import Guard
from stores.staged_records import planned_records
from tests.activities.scene import PART, Scene, task
from tests.activities.watched_metadata import WatchedMetadata

PATIENCE = 30.0
STEPS = [
    BinlogActivities.update_binlogs,
    IndexActivities.sync_vector_scalar_indexes,
    IndexActivities.sync_text_indexes,
    IndexActivities.sync_json_indexes,
]


def planned(scene: Scene, staged: StagedPlan) -> dict[str, bytes]:
    plan = scene.the_plan(staged.plan)
    return {
        key: value
        for each in scene.segments(staged.plan)
        for key, value in planned_records(plan, each).items()
    }


def found(scene: Scene, keys: Mapping[str, object]) -> dict[str, bytes]:
    return {key: value for key, (value, _) in scene.image().records.items() if key in keys}


def segments(scene: Scene) -> list[SegmentInfo]:
    prefix = scene.keys.segments(scene.collection)
    return [SegmentInfo.FromString(each.value) for each in scene.metadata.scan(prefix)]


async def binlogs(scene: Scene, staged: StagedPlan, index: int = 0) -> int:
    return await scene.run(BinlogActivities(scene.clients).update_binlogs, task(staged, index))


async def test_all_steps_together_write_the_planned_records_and_the_tasks(scene: Scene) -> None:
    staged = await scene.begin()
    before = scene.image()
    await scene.register(staged)
    expected = planned(scene, staged)
    assert found(scene, expected) == expected
    job = scene.keys.copy_segment_job(int(staged.plan.job_id))
    own = scene.keys.copy_segment_task(scene.the_plan(staged.plan).task_ids[0])
    assert before.changes(scene.image()) == {*expected, job, own}


async def test_registered_segments_are_hidden(scene: Scene) -> None:
    staged = await scene.begin()
    await binlogs(scene, staged)
    assert [(each.state, each.is_importing) for each in segments(scene)] == [(Importing, True)] * 3


async def test_the_number_of_records_is_answered(scene: Scene) -> None:
    staged = await scene.begin()
    before = scene.image()
    written = await binlogs(scene, staged)
    after = scene.image()
    assert written == len(before.changes(after))
    indexes = IndexActivities(scene.clients)
    builds = await scene.run(indexes.sync_vector_scalar_indexes, task(staged))
    assert builds == len(after.changes(scene.image())) == 10
    assert await scene.run(indexes.sync_text_indexes, task(staged)) == 2
    assert await scene.run(indexes.sync_json_indexes, task(staged)) == 2


async def test_text_and_json_indexes_may_come_in_either_order(scene: Scene) -> None:
    staged = await scene.begin()
    await binlogs(scene, staged)
    indexes = IndexActivities(scene.clients)
    await scene.run(indexes.sync_json_indexes, task(staged))
    await scene.run(indexes.sync_text_indexes, task(staged))
    await scene.run(indexes.sync_vector_scalar_indexes, task(staged))
    expected = planned(scene, staged)
    assert found(scene, expected) == expected


@pytest.mark.usefixtures("small_tasks")
async def test_a_task_writes_its_own_segments_alone(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.register(staged, 1)
    own = scene.segments(staged.plan)[1].target.segment_id
    assert [each.ID for each in segments(scene)] == [own]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
async def test_a_step_done_twice_is_done_once(scene: Scene, step: Callable[..., Any]) -> None:
    staged = await scene.begin(partitions=PART)
    await scene.register(staged)
    for repeated in (step, *STEPS[2:]):  # registering anew takes text and JSON indexes out again
        activities = BinlogActivities if repeated is STEPS[0] else IndexActivities
        bound = getattr(activities(scene.clients), repeated.__name__)
        await scene.run(bound, task(staged))
    expected = planned(scene, staged)
    assert found(scene, expected) == expected
    assert await scene.prove(staged) == len(expected)


@pytest.mark.parametrize("step", STEPS[2:], ids=lambda step: step.__name__)
async def test_an_amendment_that_is_made_already_is_not_written_again(
    scene: Scene, step: Callable[..., Any]
) -> None:
    staged = await scene.begin()
    await scene.register(staged)
    before = scene.image()
    await scene.run(getattr(IndexActivities(scene.clients), step.__name__), task(staged))
    assert before.changes(scene.image()) == set()


@pytest.mark.parametrize("step", STEPS[2:], ids=lambda step: step.__name__)
async def test_a_segments_record_that_is_gone_is_named(scene: Scene, step: Callable[..., Any]) -> None:
    staged = await scene.begin()
    await binlogs(scene, staged)
    target = scene.segments(staged.plan)[1].target
    key = scene.keys.segment(*target.ids)
    scene.drop(key)
    with pytest.raises(Fenced, match=f"the staged record {key} is gone"):
        await scene.run(getattr(IndexActivities(scene.clients), step.__name__), task(staged))
    assert scene.metadata.get(key) is None


async def test_two_amendments_of_one_record_at_a_time_lose_nothing(scene: Scene) -> None:
    staged = await scene.begin()
    await binlogs(scene, staged)
    indexes = IndexActivities(scene.clients)
    loop = asyncio.get_running_loop()

    def sibling() -> None:
        done = asyncio.run_coroutine_threadsafe(scene.run(indexes.sync_json_indexes, task(staged)), loop)
        assert done.result(PATIENCE) == 2

    scene.clients.metadata_stores["default"] = WatchedMetadata(scene.metadata, before_commit=sibling)
    assert await scene.run(indexes.sync_text_indexes, task(staged)) == 2
    with_rows = [info for info in segments(scene) if info.num_of_rows]
    assert [(bool(info.textStatsLogs), bool(info.jsonKeyStats)) for info in with_rows] == [(True, True)] * 2


async def test_a_task_is_completed_once_and_its_segments_are_counted_once(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.register(staged)
    before = scene.image()
    await scene.run(BinlogActivities(scene.clients).complete_task, task(staged))
    assert before.changes(scene.image()) == set()
    job = CopySegmentJob.FromString(scene.value(scene.keys.copy_segment_job(int(staged.plan.job_id))))
    own = CopySegmentTask.FromString(
        scene.value(scene.keys.copy_segment_task(scene.the_plan(staged.plan).task_ids[0]))
    )
    assert (job.copied_segments, own.state) == (3, CopySegmentTaskCompleted)


async def test_two_completions_of_a_task_at_a_time_count_its_segments_once(scene: Scene) -> None:
    """As when the attempt of a worker that was thought dead comes late."""
    staged = await scene.begin()
    ledger = JobLedger(scene.metadata, scene.keys)
    job, own = int(staged.plan.job_id), scene.the_plan(staged.plan).task_ids[0]
    guard = Guard(scene.keys.reservation(scene.collection), staged.epoch)
    now = datetime.now(UTC)
    watched = WatchedMetadata(scene.metadata, before_commit=lambda: ledger.complete(job, own, guard, now=now))
    assert JobLedger(watched, scene.keys).complete(job, own, guard, now=now)
    record = CopySegmentJob.FromString(scene.value(scene.keys.copy_segment_job(job)))
    assert record.copied_segments == 3
