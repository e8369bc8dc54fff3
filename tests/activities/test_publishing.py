import json
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pytest

from formats.proto.common_pb2 import Flushed, Importing
from formats.proto.data_pb2 import (
    CopySegmentJob,
    CopySegmentJobCompleted,
    CopySegmentJobExecuting,
    SegmentInfo,
)
from formats.records import published
from restore.certificate import merkle
from restore.errors import Fenced, ObjectMissing
from restore.reservation import Owner
from restore.steps import StagedPlan
from stores.proofs import ProofArchive
from stores.reservations import Reservations
from tests.activities.image import Image
from tests.activities.scene import PART, STARTED, TARGET, Scene
from tests.activities.watched_metadata import WatchedMetadata


class Killed(BaseException):
    """The worker's end, in the middle of something."""


def kill() -> None:
    raise Killed


def segments(scene: Scene, image: Image) -> dict[str, SegmentInfo]:
    prefix = scene.keys.segments(scene.collection)
    return {
        key: SegmentInfo.FromString(value)
        for key, (value, _) in image.records.items()
        if key.startswith(prefix)
    }


def states(scene: Scene) -> set[tuple[int, bool]]:
    return {(each.state, each.is_importing) for each in segments(scene, scene.image()).values()}


def job(scene: Scene, staged: StagedPlan) -> CopySegmentJob:
    return CopySegmentJob.FromString(scene.value(scene.keys.copy_segment_job(int(staged.plan.job_id))))


def certificate_key(staged: StagedPlan) -> str:
    return f"files/restores/{staged.plan.job_id}/certificate.json"


def certificate(scene: Scene, staged: StagedPlan) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(scene.body(certificate_key(staged)))
    return read


async def test_publishing_makes_segments_visible_and_changes_nothing_else(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    before = scene.image()
    assert await scene.publish(staged) == 2
    after = scene.image()
    hidden, visible = segments(scene, before), segments(scene, after)
    assert before.changes(after) == {*visible, scene.keys.reservation(scene.collection)}
    for key, info in visible.items():
        assert (info.state, info.is_importing) == (Flushed, False)
        info.state, info.is_importing = Importing, True
        assert info == hidden[key]
    assert Owner.decode(after.value(scene.keys.reservation(scene.collection))).state == "publishing"


async def test_publishing_twice_is_publishing_once(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    await scene.publish(staged)
    before = {key: value for key, (value, _) in scene.image().records.items()}
    assert await scene.publish(staged) == 2
    assert {key: value for key, (value, _) in scene.image().records.items()} == before


async def test_publishing_goes_on_after_a_kill_at_its_beginning(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    scene.clients.metadata_stores["default"] = WatchedMetadata(scene.metadata, after_commit=kill)
    with pytest.raises(Killed):
        await scene.publish(staged)
    assert states(scene) == {(Importing, True)}
    scene.clients.metadata_stores["default"] = scene.metadata
    assert await scene.publish(staged) == 2
    assert states(scene) == {(Flushed, False)}


async def test_publishing_goes_on_after_a_kill_in_its_middle(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    Reservations(scene.metadata, scene.keys).change(
        scene.collection, staged.plan.job_id, staged.epoch, "publishing", {}
    )
    first = min(segments(scene, scene.image()))
    scene.put(first, published(scene.value(first)))
    assert states(scene) == {(Importing, True), (Flushed, False)}
    assert await scene.publish(staged) == 2
    assert states(scene) == {(Flushed, False)}


@pytest.mark.parametrize("state", ["rolling_back", "kept"])
async def test_a_lost_reservation_publishes_nothing(scene: Scene, state: str) -> None:
    staged = await scene.stage(partitions=PART)
    if state == "kept":
        await scene.keep(staged)
    else:
        await scene.fence(staged.plan.job_id)
    before = scene.image()
    with pytest.raises(Fenced, match=f"held by restore {staged.plan.job_id}, {state}"):
        await scene.publish(staged)
    assert before.changes(scene.image()) == set()


async def test_completing_writes_certificate_and_commit_marker_and_frees_the_target(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    await scene.publish(staged)
    before = scene.image()
    certified = await scene.complete(staged)
    assert certified.uri == f"s3://{scene.bucket}/{certificate_key(staged)}"
    key = scene.keys.copy_segment_job(int(staged.plan.job_id))
    reservation = scene.keys.reservation(scene.collection)
    assert before.changes(scene.image()) == {certificate_key(staged), key, reservation}
    assert scene.metadata.get(reservation) is None
    record = job(scene, staged)
    assert (record.state, record.copied_segments) == (CopySegmentJobCompleted, 2)
    assert record.complete_ts > 0
    assert record.cleanup_ts > 0


async def test_a_certificate_tells_what_was_restored_and_how_it_was_proved(scene: Scene) -> None:
    begun = datetime.now(UTC)
    staged = await scene.finish(partitions=("_default", "part_1"), verify="full")
    told = certificate(scene, staged)
    completed = datetime.fromisoformat(told.pop("completed_at"))
    assert begun <= completed <= datetime.now(UTC)
    plan, ref = scene.the_plan(staged.plan), staged.plan
    proofs = ProofArchive(scene.clients.objects("default"), scene.clients.archive("default"), ref)
    expected = {
        "version": 1,
        "job_id": ref.job_id,
        "request": {
            "snapshot": scene.written.uri,
            "target": TARGET,
            "database": "default",
            "source": "origin",
            "destination": "default",
            "partitions": ["_default", "part_1"],
            "concurrency": 16,
            "verify": "full",
            "on_failure": "rollback",
        },
        "snapshot": json.loads(plan.snapshot.model_dump_json()),
        "target": json.loads(plan.target.model_dump_json()),
        "segments": 3,
        "rows": sum(each.num_of_rows for each in scene.written.manifests),
        "objects": scene.written.objects,
        "objects_skipped": 0,
        "bytes": scene.written.bytes,
        "root": merkle([proofs.get(0).root]),
        "proofs": {"sha256": scene.written.objects},
        "started_at": STARTED,
        "software": f"milvus-restore {version('milvus-restore')}",
    }
    assert {name: told.get(name) for name in expected} == expected


async def test_completing_twice_is_completing_once(scene: Scene) -> None:
    staged = await scene.finish()
    before = scene.image()
    assert (await scene.complete(staged)).uri.endswith(certificate_key(staged))
    assert before.changes(scene.image()) == set()


async def test_completing_goes_on_after_a_kill_between_certificate_and_marker(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    await scene.publish(staged)
    scene.clients.metadata_stores["default"] = WatchedMetadata(scene.metadata, before_commit=kill)
    with pytest.raises(Killed):
        await scene.complete(staged)
    assert certificate_key(staged) in scene.image().objects
    assert job(scene, staged).state == CopySegmentJobExecuting
    scene.clients.metadata_stores["default"] = scene.metadata
    await scene.complete(staged)
    assert job(scene, staged).state == CopySegmentJobCompleted
    assert scene.metadata.get(scene.keys.reservation(scene.collection)) is None


async def test_publishing_and_completing_may_both_be_repeated_after_a_kill(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    for _ in range(2):
        await scene.publish(staged)
    for _ in range(2):
        await scene.complete(staged)
    assert states(scene) == {(Flushed, False)}
    assert job(scene, staged).state == CopySegmentJobCompleted


async def test_two_completions_at_a_time_both_succeed(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    await scene.publish(staged)
    other = Reservations(scene.metadata, scene.keys)
    held = other.look(scene.collection)
    assert held is not None
    scene.clients.metadata_stores["default"] = WatchedMetadata(
        scene.metadata, before_commit=lambda: other.release(scene.collection, held[1].mod_revision, {})
    )
    assert (await scene.complete(staged)).uri.endswith(certificate_key(staged))


@pytest.mark.parametrize("state", ["active", "rolling_back", "kept"])
async def test_what_is_not_being_published_cannot_be_completed(scene: Scene, state: str) -> None:
    staged = await scene.stage(partitions=PART)
    if state == "kept":
        await scene.keep(staged)
    elif state == "rolling_back":
        await scene.fence(staged.plan.job_id)
    before = scene.image()
    with pytest.raises(Fenced):
        await scene.complete(staged)
    assert before.changes(scene.image()) == set()


async def test_a_task_without_its_proof_is_not_certified(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    await scene.publish(staged)
    proof = f"files/restores/{staged.plan.job_id}/proof/000000.json.gz"
    scene.s3.delete_object(Bucket=scene.bucket, Key=proof)
    before = scene.image()
    with pytest.raises(ObjectMissing, match=proof):
        await scene.complete(staged)
    assert before.changes(scene.image()) == set()
