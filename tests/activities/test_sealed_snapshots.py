"""The corruption matrix of a sealed snapshot: whatever is not as it was sealed is refused, by name."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from restore.errors import RestoreError
from restore.plan import PlannedObject
from restore.seal import seal_key
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, write_sample
from stores.ports import ObjectStore
from stores.proofs import ProofArchive
from stores.sealing import Sealer
from stores.snapshots import open_snapshot
from tests.activities.scene import Scene

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHAPE = SampleShape(
    segments=3,
    l0_segments=1,
    partitions=2,
    megabytes=0.2,
    dim=4,
    storage_versions=(0, 2, 3),
    full_text=True,
    large_text=True,
    collection_id=SampleShape().collection_id + 2 * 10**6,
)

DAMAGES: dict[str, Callable[[bytes, bytes], bytes | None]] = {
    "deleted": lambda body, sibling: None,
    "truncated": lambda body, sibling: body[:-1],
    "zeroed": lambda body, sibling: bytes(len(body)),
    "flipped": lambda body, sibling: (
        body[: len(body) // 2] + bytes([body[len(body) // 2] ^ 1]) + body[len(body) // 2 + 1 :]
    ),
    "swapped": lambda body, sibling: (sibling * (len(body) // len(sibling) + 1))[: len(body)],
    "grown": lambda body, sibling: body + b"\0",
}

IN_PLACE = ("insert", "stats", "delta", "bm25", "index", "text", "json", "manifest", "lob")


@pytest.fixture(scope="module")
def written(s3_client: "S3Client", stores: dict[str, ObjectStore]) -> WrittenSample:
    """A sealed source of this module's own."""
    bucket = f"origin-{secrets.token_hex(6)}"
    s3_client.create_bucket(Bucket=bucket)
    sample = write_sample(s3_client, bucket, SHAPE)
    seal(stores["origin"], sample)
    return sample


def seal(store: ObjectStore, sample: WrittenSample) -> None:
    with ThreadPoolExecutor(8) as threads:
        Sealer(store, open_snapshot(store, sample.bucket, sample.key), lists=threads, reads=threads).seal()


async def refusal(attempt: object) -> tuple[str, str]:
    """The type and message of what an attempt is refused with."""
    with pytest.raises(RestoreError) as refused:
        await attempt  # type: ignore[misc]  # a coroutine, whatever it returns
    return type(refused.value).__name__, str(refused.value)


def of_kind(scene: Scene, planned: list[PlannedObject], kind: str) -> tuple[str, bytes, bytes]:
    """An object's key and body, and the other body of another object of its kind, of the same size if any."""
    bodies = {
        each.source: scene.body(each.source, scene.written.bucket) for each in planned if each.kind == kind
    }
    key, body = next(iter(bodies.items()))
    # Of some kinds there is one object alone: then the sibling is of another kind.
    others = [each for each in bodies.values() if each != body] or [
        scene.body(scene.written.key, scene.written.bucket)
    ]
    return key, body, next((each for each in others if len(each) == len(body)), others[0])


@pytest.mark.parametrize("kind", IN_PLACE)
async def test_a_damaged_object_is_refused_by_name_before_it_is_copied(scene: Scene, kind: str) -> None:
    staged = await scene.begin()
    before = scene.image()
    key, body, sibling = of_kind(scene, scene.objects(staged.plan), kind)
    for name, damage in DAMAGES.items():
        other = damage(body, sibling)
        assert other != body, name
        with scene.source(key, other):
            error, message = await refusal(scene.copy(staged))
        assert error == ("ObjectMissing" if other is None else "ObjectMismatch"), name
        assert f"s3://{scene.written.bucket}/{key}" in message, name
    assert scene.image().objects == before.objects


@pytest.mark.parametrize("kind", ["insert", "delta", "index", "lob"])
async def test_an_object_damaged_before_the_restore_is_refused_by_name(scene: Scene, kind: str) -> None:
    key, body, sibling = of_kind(scene, scene.objects(await scene.plan()), kind)

    async def restore() -> None:
        await scene.copy(await scene.begin())

    with scene.source(key, DAMAGES["flipped"](body, sibling)):
        error, message = await refusal(restore())
    assert (error, key in message) == ("ObjectMismatch", True)
    assert [each for each in scene.image().objects if "/restores/" not in each] == []


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", ["metadata", "manifest"])
async def test_a_damaged_file_of_the_snapshot_is_refused_by_name(
    scene: Scene, which: str, damage: str
) -> None:
    files = sorted(key for key in scene.written.digests if "/snapshots/" in key)
    manifests = [key for key in files if key.endswith(".avro")]
    key, other = (scene.written.key, manifests[0]) if which == "metadata" else manifests[:2]
    body, sibling = (scene.body(each, scene.written.bucket) for each in (key, other))
    with scene.source(key, DAMAGES[damage](body, sibling)):
        error, message = await refusal(scene.plan())
    absent = which == "metadata" and damage == "deleted"
    assert error == ("SnapshotNotFound" if absent else "SnapshotCorrupt")
    assert f"s3://{scene.written.bucket}/{key}" in message


async def test_a_listed_object_that_is_gone_or_came_later_is_told_in_planning(scene: Scene) -> None:
    planned = scene.objects(await scene.plan())
    own = next(each.source for each in planned if "/_metadata/" in each.source)
    base = own.partition("/_metadata/")[0]
    inner = next(each.source for each in planned if each.source.startswith(f"{base}/_stats/"))
    with scene.source(inner, None):
        error, message = await refusal(scene.plan())
    assert (error, inner in message) == ("ObjectMissing", True)
    later = f"{base}/_metadata/manifest-99.avro"
    scene.s3.put_object(Bucket=scene.written.bucket, Key=later, Body=b"later")
    try:
        ref = await scene.plan()
    finally:
        scene.s3.delete_object(Bucket=scene.written.bucket, Key=later)
    assert [later in warning for warning in ref.warnings] == [True]
    assert later not in {each.source for each in scene.objects(ref)}


@pytest.mark.parametrize("verify", ["size", "etag", "full"])
async def test_a_good_snapshot_is_restored_and_its_proofs_tell_the_sealed_hashes(
    scene: Scene, verify: str
) -> None:
    staged = await scene.begin(verify=verify)
    await scene.copy(staged)
    await scene.verify(staged)
    archive = scene.clients.archive("default")
    proofs = ProofArchive(scene.clients.objects("default"), archive, staged.plan).get(0).objects
    sources = {each.target: each.source for each in scene.objects(staged.plan)}
    hashes = {sources[each.key]: each.sha256 for each in proofs}
    expected = {key: scene.written.digests[key] if verify != "size" else None for key in hashes}
    assert hashes == expected
    assert scene.the_plan(staged.plan).snapshot.seal


@pytest.mark.parametrize("changed", [False, True])
async def test_where_no_etag_can_tell_a_sealed_object_is_held_against_its_hash(
    scene: Scene, changed: bool
) -> None:
    staged = await scene.begin(verify="size")
    key = next(each.source for each in scene.objects(staged.plan) if each.kind == "insert")
    body = scene.body(key, scene.written.bucket)
    with scene.source(key, body):
        in_parts(scene.s3, scene.written.bucket, key, DAMAGES["flipped"](body, b"") if changed else body)
        await scene.copy(staged)
        if not changed:
            await scene.verify(staged)
            return
        error, message = await refusal(scene.verify(staged))
    assert (error, key in message) == ("ObjectMismatch", True)


def in_parts(s3: "S3Client", bucket: str, key: str, body: bytes | None) -> None:
    assert body is not None
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=body)
    s3.complete_multipart_upload(
        Bucket=bucket,
        Key=key,
        UploadId=upload,
        MultipartUpload={"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]},
    )


async def test_the_source_holds_one_object_more_than_before_it_was_sealed(scene: Scene) -> None:
    there = {
        entry["Key"]
        for page in scene.s3.get_paginator("list_objects_v2").paginate(Bucket=scene.written.bucket)
        for entry in page.get("Contents", [])
    }
    assert there == {*scene.written.digests, seal_key(scene.written.key)}
