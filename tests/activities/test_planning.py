from collections.abc import Iterator
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.planning import PlanningActivities, cut
from formats.manifest import decode_manifest, encode_manifest
from formats.proto.msg_pb2 import MsgPosition
from formats.segment import FieldBinlog
from restore.errors import InvalidRequest, ObjectMismatch, SnapshotCorrupt, TargetMismatch, TargetNotFound
from restore.plan import PlanRef, SegmentPlan
from restore.steps import PlanOrder
from restore.tasks import CHUNK_OBJECTS, TASK_BYTES
from samples import schema
from samples.catalog import TARGET_CHANNEL
from samples.root_coord import DEFAULT_DATABASE
from samples.snapshot import manifest_key
from stores.ids import FIRST, LAST
from tests.activities.scene import Scene
from tests.formats.segment_samples import L0, TARGET, log, manifest


async def plan_again(scene: Scene, job_id: str) -> PlanRef:
    order = PlanOrder(job_id=job_id, request=scene.request())
    return await scene.run(PlanningActivities(scene.clients).plan_restore, order)


def folder(scene: Scene, ref: PlanRef) -> str:
    return scene.clients.archive("default").folder(ref.job_id)


async def test_a_plan_names_every_object_of_the_snapshot_once(scene: Scene) -> None:
    ref = await scene.plan()
    snapshot_files = {key for key in scene.written.digests if "/snapshots/" in key}
    assert sorted(each.source for each in scene.objects(ref)) == sorted(
        scene.written.digests.keys() - snapshot_files
    )
    assert len({each.target for each in scene.objects(ref)}) == scene.written.objects == ref.objects


async def test_a_reference_has_the_totals_of_the_snapshot(scene: Scene) -> None:
    ref = await scene.plan()
    assert (ref.segments, ref.objects) == (3, scene.written.objects)
    assert ref.rows == sum(manifest.num_of_rows for manifest in scene.written.manifests)
    assert ref.bytes == scene.written.bytes
    assert (ref.profile, ref.bucket, ref.snapshot_name) == ("default", scene.bucket, "nightly")
    assert ref.collection_id == str(scene.collection)


async def test_planning_writes_below_the_jobs_folder_and_the_id_counter(scene: Scene) -> None:
    job_id = await scene.open()
    before = scene.image()
    ref = await plan_again(scene, job_id)
    changed = before.changes(scene.image())
    assert {key for key in changed if not key.startswith(folder(scene, ref))} == {scene.keys.id_counter}
    assert ref.key in changed


async def test_every_new_id_is_given_once_and_of_our_range(scene: Scene) -> None:
    ref = await scene.plan()
    plan = scene.the_plan(ref)
    targets = [segment.target for segment in scene.segments(ref)]
    ids = [
        plan.job_id,
        *plan.task_ids,
        *(target.segment_id for target in targets),
        *(build for target in targets for build in target.builds.values()),
    ]
    assert len(ids) == len(set(ids))
    assert all(FIRST <= number <= LAST for number in ids)


async def test_the_ids_of_two_plans_never_meet(scene: Scene) -> None:
    one, other = await scene.plan(), await scene.plan()
    keys = [{each.target for each in scene.objects(ref)} for ref in (one, other)]
    assert keys[0].isdisjoint(keys[1])


async def test_ids_that_the_cluster_has_are_passed_over(scene: Scene) -> None:
    job_id = await scene.open()
    taken = int(job_id) + 2
    scene.put(scene.keys.segment(1, 2, taken), b"")
    ref = await plan_again(scene, job_id)
    ids = {segment.target.segment_id for segment in scene.segments(ref)}
    builds = {build for segment in scene.segments(ref) for build in segment.target.builds.values()}
    assert taken - 1 in ids | builds
    assert taken not in ids | builds


async def test_builds_whose_files_lie_in_the_bucket_are_passed_over(scene: Scene) -> None:
    """As they do when etcd was lost and began anew, and the counter with it."""
    job_id = await scene.open()
    left = f"files/index_files/{int(job_id) + 10}/1/2/3/file"
    scene.s3.put_object(Bucket=scene.bucket, Key=left, Body=b"x")
    ref = await plan_again(scene, job_id)
    assert min(segment.target.segment_id for segment in scene.segments(ref)) > int(job_id) + 200


async def test_segments_go_to_the_partition_of_the_same_name(scene: Scene) -> None:
    ref = await scene.plan()
    source = {number: name for name, number in scene.written.shape.partition_ids.items()} | {-1: "all"}
    target = {number: name for name, number in scene.the_plan(ref).target.partitions.items()} | {-1: "all"}
    assert [
        (source[each.source.partition_id], target[each.target.partition_id]) for each in scene.segments(ref)
    ] == [("_default", "_default"), ("part_1", "part_1"), ("all", "all")]


async def test_channels_are_those_of_the_same_shard(scene: Scene) -> None:
    """By name dml_10 would come before dml_9."""
    ref = await scene.plan()
    shards = {channel: at for at, channel in enumerate(scene.written.shape.virtual_channels)}
    for each in scene.segments(ref):
        shard = shards[each.source.channel_name]
        expected = f"by-dev-rootcoord-dml_{TARGET_CHANNEL + shard}_{scene.collection}v{shard}"
        assert each.target.channel == expected


async def test_positions_are_the_targets_checkpoints(scene: Scene) -> None:
    ref = await scene.plan()
    for target in (segment.target for segment in scene.segments(ref)):
        checkpoint = MsgPosition.FromString(scene.value(scene.keys.channel_checkpoint(target.channel)))
        assert target.message_id == checkpoint.msgID != b""
        assert target.message_group == checkpoint.msgGroup != ""


async def test_only_the_chosen_partitions_are_planned(scene: Scene) -> None:
    ref = await scene.plan(partitions=("part_1",))
    partition = scene.written.shape.partition_ids["part_1"]
    assert [segment.source.partition_id for segment in scene.segments(ref)] == [partition, -1]
    assert ref.segments == 2
    assert ref.rows == sum(
        manifest.num_of_rows for manifest in scene.written.manifests if manifest.partition_id == partition
    )


async def test_a_stored_plan_is_given_again_and_nothing_is_written(scene: Scene) -> None:
    ref = await scene.plan()
    before = scene.image()
    assert await plan_again(scene, ref.job_id) == ref
    assert before.changes(scene.image()) == set()


async def test_a_plan_whose_worker_died_before_its_header_is_made_anew(scene: Scene) -> None:
    ref = await scene.plan()
    old = {segment.target.segment_id for segment in scene.segments(ref)}
    scene.s3.delete_object(Bucket=scene.bucket, Key=ref.key)
    again = await plan_again(scene, ref.job_id)
    assert again.job_id == ref.job_id
    assert again.objects == len(scene.objects(again)) == ref.objects
    assert old.isdisjoint(segment.target.segment_id for segment in scene.segments(again))


async def test_a_damaged_stored_plan_is_named_and_left(scene: Scene) -> None:
    ref = await scene.plan()
    scene.s3.put_object(Bucket=scene.bucket, Key=ref.key, Body=scene.body(ref.key)[:-20])
    before = scene.image()
    with pytest.raises(ObjectMismatch, match=f"s3://{scene.bucket}/{ref.key} is not a plan"):
        await plan_again(scene, ref.job_id)
    assert before.changes(scene.image()) == set()


@pytest.mark.usefixtures("small_tasks")
async def test_tasks_together_are_the_whole_plan(scene: Scene) -> None:
    ref = await scene.plan()
    archive = scene.clients.archive("default")
    tasks = [list(archive.segments(ref, index)) for index in range(ref.tasks)]
    assert [len(task) for task in tasks] == [1, 1, 1]
    assert [segment for task in tasks for segment in task] == scene.segments(ref)
    assert len(scene.the_plan(ref).task_ids) == ref.tasks


def second(scene: Scene) -> str:
    return manifest_key(scene.written.shape, scene.written.shape.segment_id(1))


@pytest.mark.parametrize("damage", ["absent", "truncated"])
async def test_a_bad_manifest_is_named_and_no_plan_is_left(scene: Scene, damage: str) -> None:
    job_id, key = await scene.open(), second(scene)
    body = None if damage == "absent" else scene.body(key, scene.written.bucket)[:-100]
    with scene.source(key, body), pytest.raises(SnapshotCorrupt, match=key):
        await plan_again(scene, job_id)
    assert scene.image().objects == {}


async def test_a_path_outside_the_snapshots_root_is_refused(scene: Scene) -> None:
    job_id, key = await scene.open(), second(scene)
    honest = decode_manifest(scene.body(key, scene.written.bucket), format_version=4, key=key)
    path = (
        f"secrets/delta_log/{scene.written.shape.collection_id}/{honest.partition_id}/{honest.segment_id}/4"
    )
    own = FieldBinlog(field_id=0, binlogs=(log(path, log_id=4),))
    evil = honest.model_copy(update={"deltalog_files": (own,)})
    with (
        scene.source(key, encode_manifest(evil, format_version=4)),
        pytest.raises(InvalidRequest, match=f"path outside its root: '{path}'"),
    ):
        await plan_again(scene, job_id)
    assert scene.image().objects == {}


async def test_a_target_that_was_dropped_since_it_was_looked_at_is_missed(scene: Scene) -> None:
    job_id = await scene.open()
    scene.drop(scene.keys.collection(DEFAULT_DATABASE, scene.collection))
    with pytest.raises(TargetNotFound, match="'orders'"):
        await plan_again(scene, job_id)


async def test_a_target_that_was_changed_since_it_was_looked_at_is_refused(scene: Scene) -> None:
    job_id = await scene.open()
    scene.drop(scene.keys.field(scene.collection, schema.TITLE))
    with pytest.raises(TargetMismatch, match="title"):
        await plan_again(scene, job_id)


def made(objects: int, size: int = 1) -> SegmentPlan:
    """A segment of so many objects, of which the first has so many bytes and the others' are not known."""
    paths = [f"files/insert_log/1/2/3/100/{number}" for number in range(objects)]
    own = [log(path, log_size=0 if at else size) for at, path in enumerate(paths)]
    bare = manifest(**L0, deltalog_files=(FieldBinlog(field_id=0, binlogs=tuple(own)),))
    return SegmentPlan(source=bare, target=TARGET)


sizes = st.lists(
    st.tuples(
        st.sampled_from([1, 100, 250, 251, 499, 500, 501, 900]),
        st.sampled_from([1, 2**20, TASK_BYTES // 2, TASK_BYTES, TASK_BYTES + 1]),
    ),
    max_size=6,
)


def weigh(group: list[SegmentPlan]) -> tuple[int, int]:
    return sum(len(list(each.named_objects())) for each in group), sum(each.bytes for each in group)


@settings(max_examples=25)
@given(sizes)
def test_segments_are_cut_into_chunks_whole_once_and_in_order(wanted: list[tuple[int, int]]) -> None:
    segments = [made(objects, size) for objects, size in wanted]
    chunks = list(cut(iter(segments)))
    assert list(chain.from_iterable(chunks)) == segments
    for chunk in chunks:
        objects, size = weigh(chunk)
        assert len(chunk) == 1 or (objects <= CHUNK_OBJECTS and size <= TASK_BYTES)
    for chunk, following in pairwise(chunks):
        objects, size = weigh([*chunk, following[0]])
        assert objects > CHUNK_OBJECTS or size > TASK_BYTES


def test_segments_without_objects_fill_a_chunk_too() -> None:
    """Their records are written all the same, and a task's own record names each of them."""
    empty = manifest(**L0, storage_version=0, manifest_path="", deltalog_files=())
    segments = [SegmentPlan(source=empty, target=TARGET)] * (2 * CHUNK_OBJECTS + 1)
    assert [len(chunk) for chunk in cut(iter(segments))] == [CHUNK_OBJECTS, CHUNK_OBJECTS, 1]


def test_chunks_are_cut_while_segments_are_still_coming() -> None:
    """A plan of 100,000 segments never lies in memory."""
    seen: list[int] = []

    def coming() -> Iterator[SegmentPlan]:
        for number in range(10):
            seen.append(number)
            yield made(300)

    first = next(cut(coming()))
    assert len(first) == 1
    assert seen == [0, 1]
