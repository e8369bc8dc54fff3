"""What a damaged plan no longer tells is found by the ids of the restore's segments."""

import secrets
from typing import TYPE_CHECKING

import pytest

from samples.shape import SampleShape
from samples.snapshot import WrittenSample, write_sample
from tests.activities.scene import Scene
from tests.activities.test_rollback import assert_nothing_is_left
from tests.activities.uploads import begin_upload

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
    collection_id=SampleShape().collection_id + 3 * 10**6,
)

pytestmark = pytest.mark.usefixtures("small_tasks")


@pytest.fixture(scope="module")
def written(s3_client: "S3Client") -> WrittenSample:
    """Segments of every storage version, large objects among their files."""
    bucket = f"origin-{secrets.token_hex(6)}"
    s3_client.create_bucket(Bucket=bucket)
    return write_sample(s3_client, bucket, SHAPE)


def chunks(scene: Scene, job_id: str) -> list[str]:
    folder = f"{scene.clients.archive('default').folder(job_id)}plan/"
    return [key for key in scene.image().objects if key.startswith(folder)]


@pytest.mark.parametrize("damage", ["deleted", "changed"])
async def test_whatever_is_damaged_all_that_was_staged_is_removed(scene: Scene, damage: str) -> None:
    before = scene.image()
    staged = await scene.stage()
    assert any("/lobs/" in key for key in scene.image().objects)
    for key in chunks(scene, staged.plan.job_id)[:: 1 if damage == "deleted" else 2]:
        if damage == "deleted":
            scene.s3.delete_object(Bucket=scene.bucket, Key=key)
        else:
            scene.s3.put_object(Bucket=scene.bucket, Key=key, Body=b"changed")
    scene.clients.forget_plans()
    await scene.roll_back(staged.plan.job_id)
    assert_nothing_is_left(scene, before, staged.plan.job_id)


async def test_before_anything_was_reserved_there_is_nothing_to_look_for(scene: Scene) -> None:
    before = scene.image()
    job_id = (await scene.plan()).job_id
    for key in chunks(scene, job_id):
        scene.s3.delete_object(Bucket=scene.bucket, Key=key)
    assert await scene.roll_back(job_id) == (0, 0)
    assert_nothing_is_left(scene, before, job_id)


async def test_what_lies_beside_stays(scene: Scene) -> None:
    """An upload of the restore ends; objects and uploads of the collection's other segments stay."""
    staged = await scene.begin()
    ours = [each.target for each in scene.objects(staged.plan) if each.kind in ("insert", "index", "lob")]
    theirs = [f"files/insert_log/{scene.collection}/1/2/100/3", "files/index_files/4/1/2/3/HNSW"]
    theirs.append(f"files/insert_log/{scene.collection}/1/lobs/110/_data/another.vx")
    for key in (*ours, *theirs):
        scene.s3.put_object(Bucket=scene.bucket, Key=key, Body=key.encode())
        begin_upload(scene.s3, scene.bucket, key, b"x")
    for key in chunks(scene, staged.plan.job_id):
        scene.s3.delete_object(Bucket=scene.bucket, Key=key)
    await scene.roll_back(staged.plan.job_id)
    after = scene.image()
    assert set(after.objects) == set(theirs)
    assert after.uploads == set(theirs)
