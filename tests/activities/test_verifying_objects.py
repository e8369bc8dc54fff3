import re

import pytest

from activities.verifying import VerifyActivities
from restore.certificate import TaskProof
from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import PlannedObject
from restore.request import Verify
from restore.steps import StagedPlan, TaskResult
from stores.proofs import ProofArchive
from tests.activities.image import listed
from tests.activities.scene import PART, Scene, task
from tests.activities.uploads import upload_in_parts

ALWAYS: list[Verify] = ["size", "etag", "full"]


async def copied(scene: Scene, verify: Verify = "etag") -> StagedPlan:
    staged = await scene.begin(verify=verify, partitions=PART)
    await scene.copy(staged)
    return staged


def proof(scene: Scene, staged: StagedPlan, index: int = 0) -> TaskProof:
    archive = ProofArchive(scene.clients.objects("default"), scene.clients.archive("default"), staged.plan)
    return archive.get(index)


def at(bucket: str, planned: PlannedObject, key: str) -> str:
    return re.escape(f"{planned.kind} object s3://{bucket}/{key}")


def victim(scene: Scene, staged: StagedPlan) -> PlannedObject:
    return next(each for each in scene.objects(staged.plan) if each.kind == "index")


@pytest.mark.parametrize(("verify", "method"), [("size", "size"), ("etag", "etag"), ("full", "sha256")])
async def test_every_object_is_proved_in_the_way_that_was_asked_for(
    scene: Scene, verify: Verify, method: str
) -> None:
    staged = await copied(scene, verify)
    result = await scene.verify(staged)
    assert result == TaskResult(segments=2, objects=staged.plan.objects, skipped=0, bytes=staged.plan.bytes)
    proved = proof(scene, staged).objects
    assert {each.proof for each in proved} == {method}
    targets = {each.target: each.source for each in scene.objects(staged.plan)}
    assert [each.key for each in proved] == sorted(targets)
    found = listed(scene.s3, scene.bucket)
    assert {each.key: f'{each.size} "{each.etag}"' for each in proved} == {key: found[key] for key in targets}
    if verify == "full":
        digests = {each.key: each.sha256 for each in proved}
        assert digests == {key: scene.written.digests[source] for key, source in targets.items()}


async def test_nothing_but_the_proof_is_written(scene: Scene) -> None:
    staged = await copied(scene)
    before = scene.image()
    await scene.verify(staged)
    changed = before.changes(scene.image())
    assert changed == {f"files/restores/{staged.plan.job_id}/proof/000000.json.gz"}


async def test_proving_twice_gives_the_same_proof(scene: Scene) -> None:
    staged = await copied(scene)
    first = await scene.verify(staged)
    before = scene.image()
    assert await scene.verify(staged) == first
    assert before.changes(scene.image()) == set()


@pytest.mark.usefixtures("small_tasks")
async def test_each_task_has_a_proof_of_its_own_objects(scene: Scene) -> None:
    staged = await scene.begin()
    for index in range(staged.plan.tasks):
        await scene.copy(staged, index)
        await scene.verify(staged, index)
    proved = [each.key for index in range(3) for each in proof(scene, staged, index).objects]
    assert sorted(proved) == sorted(each.target for each in scene.objects(staged.plan))


@pytest.mark.parametrize("verify", ALWAYS)
@pytest.mark.parametrize("more", [-1, 1], ids=["truncated", "grown"])
async def test_a_target_of_another_size_is_named(scene: Scene, verify: Verify, more: int) -> None:
    staged = await copied(scene, verify)
    planned = victim(scene, staged)
    body = scene.body(planned.target)
    scene.place(planned, (body + b"x")[: len(body) + more])
    where = at(scene.bucket, planned, planned.target)
    sizes = f"has size {len(body) + more} bytes, expected {len(body)} as its source .*{planned.source}"
    with pytest.raises(ObjectMismatch, match=f"{where} {sizes}"):
        await scene.verify(staged)


@pytest.mark.parametrize("verify", ["etag", "full"])
async def test_a_target_of_other_bytes_is_named(scene: Scene, verify: Verify) -> None:
    staged = await copied(scene, verify)
    planned = victim(scene, staged)
    scene.place(planned, scene.body(planned.target)[::-1])
    with pytest.raises(ObjectMismatch, match=f"{at(scene.bucket, planned, planned.target)} has SHA-256"):
        await scene.verify(staged)


async def test_size_alone_does_not_look_at_the_bytes(scene: Scene) -> None:
    staged = await copied(scene, "size")
    planned = victim(scene, staged)
    scene.place(planned, scene.body(planned.target)[::-1])
    assert (await scene.verify(staged)).objects == staged.plan.objects


@pytest.mark.parametrize("verify", ALWAYS)
async def test_an_absent_target_is_named(scene: Scene, verify: Verify) -> None:
    staged = await copied(scene, verify)
    planned = victim(scene, staged)
    scene.s3.delete_object(Bucket=scene.bucket, Key=planned.target)
    where = at(scene.bucket, planned, planned.target)
    with pytest.raises(ObjectMissing, match=f"{where} is absent after copying"):
        await scene.verify(staged)


@pytest.mark.parametrize("verify", ALWAYS)
async def test_an_object_that_nobody_planned_is_named(scene: Scene, verify: Verify) -> None:
    staged = await copied(scene, verify)
    stranger = victim(scene, staged).target + "_copy"
    scene.s3.put_object(Bucket=scene.bucket, Key=stranger, Body=b"")
    with pytest.raises(ObjectMismatch, match=f"s3://{scene.bucket}/{stranger} lies among the restored ones"):
        await scene.verify(staged)


async def test_an_object_beside_the_restored_ones_does_not_matter(scene: Scene) -> None:
    staged = await copied(scene)
    scene.s3.put_object(Bucket=scene.bucket, Key="files/insert_log/1/2/3/4/5", Body=b"")
    assert (await scene.verify(staged)).objects == staged.plan.objects


async def test_a_source_that_vanished_since_it_was_copied_is_named(scene: Scene) -> None:
    staged = await copied(scene)
    planned = victim(scene, staged)
    with (
        scene.source(planned.source, None),
        pytest.raises(ObjectMissing, match=at(scene.written.bucket, planned, planned.source)),
    ):
        await scene.verify(staged)


async def test_a_source_that_changed_since_it_was_copied_is_named(scene: Scene) -> None:
    staged = await copied(scene)
    planned = victim(scene, staged)
    changed = scene.body(planned.target)[::-1]
    with (
        scene.source(planned.source, changed),
        pytest.raises(ObjectMismatch, match=at(scene.written.bucket, planned, planned.source)),
    ):
        await scene.verify(staged)


async def test_where_etags_tell_nothing_the_bytes_are_read(scene: Scene) -> None:
    staged = await copied(scene)
    planned = victim(scene, staged)
    upload_in_parts(scene.s3, scene.bucket, planned.target, scene.body(planned.source, scene.written.bucket))
    await scene.verify(staged)
    methods = {each.key: each.proof for each in proof(scene, staged).objects}
    assert methods.pop(planned.target) == "sha256"
    assert set(methods.values()) == {"etag"}


async def test_other_bytes_that_were_uploaded_in_parts_are_named(scene: Scene) -> None:
    staged = await copied(scene)
    planned = victim(scene, staged)
    upload_in_parts(scene.s3, scene.bucket, planned.target, scene.body(planned.target)[::-1])
    with pytest.raises(ObjectMismatch, match=f"{at(scene.bucket, planned, planned.target)} has SHA-256"):
        await scene.verify(staged)


async def test_a_failed_proof_is_not_kept(scene: Scene) -> None:
    staged = await copied(scene)
    scene.s3.delete_object(Bucket=scene.bucket, Key=victim(scene, staged).target)
    before = scene.image()
    with pytest.raises(ObjectMissing):
        await scene.run(VerifyActivities(scene.clients).verify_objects, task(staged))
    assert before.changes(scene.image()) == set()
