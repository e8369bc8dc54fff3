"""Insert and delta logs that get the target's ids, for clusters older than Milvus 2.4."""

import gzip
import hashlib
import re
import struct
from collections.abc import Iterator

import pytest

from restore.certificate import ProvedObject
from restore.errors import ObjectMismatch, SnapshotCorrupt, TargetBusy, UnsupportedFormat
from restore.plan import PlannedObject
from restore.request import Verify
from restore.steps import CopyCount, StagedPlan
from stores.proofs import ProofArchive
from tests.activities.scene import PART, Scene
from tests.activities.uploads import upload_in_parts

ON = {"rewrite_descriptors": True}
IDS = slice(21, 45)
"""Where collection, partition and segment lie in a log, three little-endian 64-bit numbers."""


async def begun(scene: Scene, **changes: object) -> StagedPlan:
    return await scene.begin(**ON, **changes)


def logs(scene: Scene, staged: StagedPlan) -> list[PlannedObject]:
    return [each for each in scene.objects(staged.plan) if each.kind in ("insert", "delta")]


def source(scene: Scene, planned: PlannedObject) -> bytes:
    return scene.body(planned.source, scene.written.bucket)


def owner_of_path(planned: PlannedObject) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"_log/(-?\d+)/(-?\d+)/(-?\d+)/", planned.target)[0]))


def differing(scene: Scene, staged: StagedPlan) -> Iterator[str]:
    """What is not as it should be: a log with other ids or another rest, or any other object changed."""
    for each in scene.objects(staged.plan):
        was, now = source(scene, each), scene.body(each.target)
        if each.kind not in ("insert", "delta"):
            if was != now:
                yield each.target
        elif struct.unpack("<3q", now[IDS]) != owner_of_path(each) or was[IDS] == now[IDS]:
            yield f"ids of {each.target}"
        elif was[: IDS.start] + was[IDS.stop :] != now[: IDS.start] + now[IDS.stop :]:
            yield f"rest of {each.target}"


def proved(scene: Scene, staged: StagedPlan) -> dict[str, ProvedObject]:
    archive = ProofArchive(scene.clients.objects("default"), scene.clients.archive("default"), staged.plan)
    return {each.key: each for each in archive.get(0).objects}


async def test_logs_get_the_targets_ids_and_nothing_else_changes(scene: Scene) -> None:
    staged = await begun(scene)
    count = await scene.copy(staged)
    assert count == CopyCount(objects=staged.plan.objects, skipped=0, bytes=scene.written.bytes)
    assert list(differing(scene, staged)) == []
    owners = {owner_of_path(each) for each in logs(scene, staged)}
    assert {each[0] for each in owners} == {scene.collection}
    assert len(owners) == 3
    assert -1 in {each[1] for each in owners}  # deletes of all partitions


async def test_a_plan_without_the_option_does_not_mention_it(scene: Scene) -> None:
    for changes, mentioned in (({}, False), (ON, True)):
        ref = await scene.plan(**changes)
        assert (b"rewrite_descriptors" in gzip.decompress(scene.body(ref.key))) is mentioned


@pytest.mark.parametrize("verify", ["size", "etag", "full"])
async def test_a_rewritten_log_is_proved_by_its_hash_and_says_so(scene: Scene, verify: Verify) -> None:
    staged = await begun(scene, verify=verify, partitions=PART)
    await scene.copy(staged)
    result = await scene.verify(staged)
    assert (result.objects, result.bytes) == (staged.plan.objects, staged.plan.bytes)
    proofs, rewritten = proved(scene, staged), {each.target for each in logs(scene, staged)}
    assert {key for key, each in proofs.items() if each.proof == "rewritten"} == rewritten
    assert {proofs[key].sha256 for key in rewritten} == {
        hashlib.sha256(scene.body(key)).hexdigest() for key in rewritten
    }


async def test_what_is_rewritten_already_is_left(scene: Scene) -> None:
    staged = await begun(scene)
    await scene.copy(staged)
    for each in logs(scene, staged):
        head = scene.s3.head_object(Bucket=scene.bucket, Key=each.target)
        mark = {**head["Metadata"], "seen": "yes"}
        scene.s3.put_object(Bucket=scene.bucket, Key=each.target, Body=scene.body(each.target), Metadata=mark)
    assert (await scene.copy(staged)).skipped == staged.plan.objects
    for each in logs(scene, staged):
        found = scene.s3.head_object(Bucket=scene.bucket, Key=each.target)["Metadata"]
        assert "seen" in {name.lower() for name in found}, each.target


@pytest.mark.parametrize("there", ["a plain copy", "made from another", "truncated", "absent"])
async def test_what_was_not_made_from_this_source_is_made_anew(scene: Scene, there: str) -> None:
    staged = await begun(scene, partitions=PART)
    await scene.copy(staged)
    victims = [
        next(each for each in logs(scene, staged) if each.kind == kind) for kind in ("insert", "delta")
    ]
    for each in victims:
        body = source(scene, each)
        if there == "a plain copy":
            scene.place(each)
        elif there == "absent":
            scene.s3.delete_object(Bucket=scene.bucket, Key=each.target)
        else:
            made = {"restored-from-etag": "0" * 32}
            wrong = body[:-1] if there == "truncated" else body
            scene.s3.put_object(Bucket=scene.bucket, Key=each.target, Body=wrong, Metadata=made)
    assert (await scene.copy(staged)).skipped == staged.plan.objects - len(victims)
    assert list(differing(scene, staged)) == []


@pytest.mark.parametrize("verify", ["size", "etag", "full"])
async def test_a_rewritten_log_with_another_byte_is_never_proved(scene: Scene, verify: Verify) -> None:
    staged = await begun(scene, verify=verify, partitions=PART)
    await scene.copy(staged)
    victim = logs(scene, staged)[0]
    whole = scene.body(victim.target)
    for offset in (0, IDS.start, IDS.stop - 1, len(whole) - 1):
        scene.place(victim, whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])
        with pytest.raises(ObjectMismatch, match=f"{re.escape(victim.target)} has SHA-256"):
            await scene.verify(staged)
    scene.place(victim, whole)
    await scene.verify(staged)


async def test_a_log_that_was_only_copied_is_not_proved(scene: Scene) -> None:
    staged = await begun(scene, partitions=PART)
    await scene.copy(staged)
    scene.place(logs(scene, staged)[0])
    with pytest.raises(ObjectMismatch, match="has SHA-256"):
        await scene.verify(staged)


async def test_a_rewritten_log_with_an_etag_of_parts_is_proved_by_reading_it(scene: Scene) -> None:
    staged = await begun(scene, partitions=PART)
    await scene.copy(staged)
    victim = logs(scene, staged)[0]
    upload_in_parts(scene.s3, scene.bucket, victim.target, scene.body(victim.target))
    await scene.verify(staged)
    found = proved(scene, staged)[victim.target]
    assert ("-" in found.etag, found.proof) == (True, "rewritten")


@pytest.mark.parametrize(
    ("kind", "offset", "error", "says"),
    [
        ("insert", 0, SnapshotCorrupt, "at byte 0, expected a binlog's bcfaff00"),
        ("delta", 12, SnapshotCorrupt, "at byte 12, expected a descriptor event"),
        ("insert", 81, SnapshotCorrupt, "at byte 81"),
        ("delta", None, UnsupportedFormat, "is a Parquet file without a descriptor event"),
    ],
)
async def test_a_log_without_a_sound_descriptor_is_named_and_nothing_is_left(
    scene: Scene, kind: str, offset: int | None, error: type[Exception], says: str
) -> None:
    planned = scene.objects(await scene.plan(partitions=PART))
    victim = next(each for each in planned if each.kind == kind)
    before = scene.image()
    body = bytearray(source(scene, victim))
    body[:4] = b"PAR1" if offset is None else body[:4]
    body[offset or 0] ^= 0 if offset is None else 0x10
    with scene.source(victim.source, bytes(body)):
        staged = await begun(scene, partitions=PART)
        with pytest.raises(error, match=says) as refused:
            await scene.copy(staged)
    assert f"s3://{scene.written.bucket}/{victim.source}" in str(refused.value)
    await scene.roll_back(staged.plan.job_id)
    assert scene.image().objects == before.objects
    assert scene.image().uploads == frozenset()


async def test_a_kept_restore_is_gone_on_with_only_by_one_that_rewrites_alike(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage(**ON, partitions=PART, on_failure="keep"))
    with pytest.raises(TargetBusy, match=kept.plan.job_id):
        await scene.open(partitions=PART)
    assert await scene.open(partitions=PART, **ON) == kept.plan.job_id
    staged = await begun(scene, partitions=PART)
    assert (await scene.copy(staged)).skipped == staged.plan.objects
    await scene.verify(staged)


async def test_a_kept_restore_that_only_copied_is_not_gone_on_with_by_one_that_rewrites(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage(partitions=PART, on_failure="keep"))
    with pytest.raises(TargetBusy, match=kept.plan.job_id):
        await scene.open(partitions=PART, **ON)


@pytest.mark.usefixtures("apart")
async def test_between_two_stores_logs_are_rewritten_on_their_way(scene: Scene) -> None:
    del scene.clients.stores["origin"]
    assert scene.clients.objects("origin").endpoint != scene.clients.objects("default").endpoint
    staged = await begun(scene, partitions=PART)
    await scene.copy(staged)
    assert list(differing(scene, staged)) == []
    assert (await scene.copy(staged)).skipped == staged.plan.objects
    await scene.verify(staged)
