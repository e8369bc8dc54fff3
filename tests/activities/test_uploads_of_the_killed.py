"""A worker that was killed in the middle of an upload leaves it unfinished: the next attempt aborts it."""

from dataclasses import replace

import pytest
from temporalio.testing import ActivityEnvironment

from activities.copying import CopyActivities
from restore.steps import StagedPlan
from tests.activities.scene import Scene, task
from tests.activities.uploads import begin_upload


@pytest.fixture(autouse=True)
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample's small objects count as large."""
    monkeypatch.setattr("activities.copying.PARTS_FROM", 0)


async def attempt(scene: Scene, staged: StagedPlan, number: int) -> None:
    environment = ActivityEnvironment(scene.temporal)
    environment.info = replace(environment.info, attempt=number)
    await environment.run(CopyActivities(scene.clients).copy_objects, task(staged))


async def test_they_are_gone_when_the_restore_ends_well(scene: Scene) -> None:
    staged = await scene.begin()
    killed = scene.objects(staged.plan)[5].target
    begin_upload(scene.s3, scene.bucket, killed, b"half")

    await attempt(scene, staged, 2)

    assert scene.image().uploads == set()


async def test_those_of_others_stay(scene: Scene) -> None:
    staged = await scene.begin()
    begin_upload(scene.s3, scene.bucket, "files/insert_log/1/2/3/4/5", b"half")
    before = scene.image().uploads

    await attempt(scene, staged, 2)

    assert scene.image().uploads == before
