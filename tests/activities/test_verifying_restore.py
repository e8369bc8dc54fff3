from collections.abc import Callable

import pytest

from formats.proto.common_pb2 import Dropped, Flushed
from formats.proto.data_pb2 import FieldBinlog, SegmentInfo
from restore.errors import Fenced, TargetNotEmpty
from restore.steps import StagedPlan
from stores.staged_records import planned_records
from tests.activities.scene import PART, Scene

PREFIXES = ["datacoord-meta/s", "binlog", "statslog", "deltalog", "segment-index"]


def planned(scene: Scene, staged: StagedPlan) -> dict[str, bytes]:
    plan = scene.the_plan(staged.plan)
    records: dict[str, bytes] = {}
    for segment in scene.segments(staged.plan):
        records |= planned_records(plan, segment)
    return records


def one_of(scene: Scene, staged: StagedPlan, kind: str) -> str:
    return next(key for key in sorted(planned(scene, staged)) if f"{kind}/{scene.collection}/" in key)


async def test_a_staged_restore_is_as_planned(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    before = scene.image()
    assert await scene.prove(staged) == len(planned(scene, staged))
    assert await scene.prove(staged) == len(planned(scene, staged))
    assert before.changes(scene.image()) == set()


@pytest.mark.parametrize("kind", PREFIXES)
async def test_a_removed_record_is_named(scene: Scene, kind: str) -> None:
    staged = await scene.stage(partitions=PART)
    key = one_of(scene, staged, kind)
    scene.drop(key)
    with pytest.raises(Fenced, match=f"the staged record {key} is gone"):
        await scene.prove(staged)


@pytest.mark.parametrize("kind", PREFIXES)
async def test_a_changed_record_is_named(scene: Scene, kind: str) -> None:
    staged = await scene.stage(partitions=PART)
    key = one_of(scene, staged, kind)
    scene.put(key, scene.value(key) + b"\x08\x01")
    with pytest.raises(Fenced, match=f"the staged record {key} .* is not the planned one"):
        await scene.prove(staged)


@pytest.mark.usefixtures("small_tasks")
async def test_a_task_that_was_never_done_is_noticed(scene: Scene) -> None:
    staged = await scene.begin()
    await scene.register(staged, 0)
    await scene.register(staged, 2)
    missing = scene.keys.segment(*scene.segments(staged.plan)[1].target.ids)
    with pytest.raises(Fenced, match=f"the staged record {missing} is gone"):
        await scene.prove(staged)


def segment_of_another(scene: Scene) -> str:
    key = scene.keys.segment(scene.collection, 5, 77)
    scene.put(key, SegmentInfo(ID=77, state=Flushed).SerializeToString())
    return key


def log_of_another(scene: Scene) -> str:
    key = scene.keys.binlog(scene.collection, 5, 77, 100)
    scene.put(key, FieldBinlog(fieldID=100).SerializeToString())
    return key


def index_of_another(scene: Scene) -> str:
    key = scene.keys.segment_index(scene.collection, 5, 77, 78)
    scene.put(key, b"")
    return key


@pytest.mark.parametrize("add", [segment_of_another, log_of_another, index_of_another])
async def test_a_record_that_nobody_planned_is_named(scene: Scene, add: Callable[[Scene], str]) -> None:
    staged = await scene.stage(partitions=PART)
    key = add(scene)
    with pytest.raises(TargetNotEmpty, match=f"'orders' holds the record {key}, not written by this restore"):
        await scene.prove(staged)


async def test_what_is_left_of_a_dropped_segment_does_not_matter(scene: Scene) -> None:
    scene.put(
        scene.keys.segment(scene.collection, 5, 77), SegmentInfo(ID=77, state=Dropped).SerializeToString()
    )
    log_of_another(scene)
    index_of_another(scene)
    staged = await scene.stage(partitions=PART)
    assert await scene.prove(staged) == len(planned(scene, staged))


async def test_other_collections_do_not_matter(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    other = scene.add_target("invoices")
    scene.put(scene.keys.segment(other, 5, 77), SegmentInfo(ID=77, state=Flushed).SerializeToString())
    assert await scene.prove(staged) == len(planned(scene, staged))


@pytest.mark.parametrize("state", ["rolling_back", "kept"])
async def test_a_lost_reservation_is_told(scene: Scene, state: str) -> None:
    staged = await scene.stage(partitions=PART)
    if state == "kept":
        await scene.keep(staged)
    else:
        await scene.fence(staged.plan.job_id)
    with pytest.raises(Fenced, match=f"held by restore {staged.plan.job_id}, {state}"):
        await scene.prove(staged)


async def test_the_marks_of_deleted_records_do_not_matter(scene: Scene) -> None:
    for key in (
        scene.keys.segment(scene.collection, 5, 77),
        scene.keys.binlog(scene.collection, 5, 77, 100),
    ):
        scene.put(key, b"\xe2\x9b\xbc")
    staged = await scene.stage(partitions=PART)
    assert await scene.prove(staged) == len(planned(scene, staged))
