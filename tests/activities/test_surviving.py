"""Beside a running Milvus nothing is published that its garbage collection took, or may take any moment."""

import json
from typing import Any

import pytest

from restore.errors import ObjectMissing
from restore.profiles import MilvusSettings, Profile
from restore.steps import StagedPlan
from tests.activities.scene import PART, Scene

KINDS = ["index_files", "insert_log", "stats_log", "delta_log"]


def milvus_runs(scene: Scene, role: str = "rootcoord", told: Any = "127.0.0.1:53100") -> None:
    scene.put(scene.keys.session(role), json.dumps({"Address": told}).encode())


@pytest.fixture
def impatient(profiles: dict[str, Profile]) -> None:
    configure(profiles, gc_tolerance=0.001)


@pytest.fixture
def impatient_and_paused(profiles: dict[str, Profile]) -> None:
    configure(profiles, gc_tolerance=0.001, management="http://127.0.0.1:9091")


def configure(profiles: dict[str, Profile], **milvus: Any) -> None:
    profiles["default"] = profiles["default"].model_copy(update={"milvus": MilvusSettings(**milvus)})


def collected(scene: Scene, staged: StagedPlan, kind: str) -> str:
    """An object that is gone after it was proved."""
    key = next(each.target for each in scene.objects(staged.plan) if f"/{kind}/" in each.target)
    scene.s3.delete_object(Bucket=scene.bucket, Key=key)
    return key


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_collected_after_its_proof_is_named(scene: Scene, kind: str) -> None:
    staged = await scene.stage()
    milvus_runs(scene)
    key = collected(scene, staged, kind)

    with pytest.raises(ObjectMissing, match=rf"s3://{scene.bucket}/{key} .*RESTORE_MILVUS_MANAGEMENT"):
        await scene.prove(staged)


@pytest.mark.parametrize("told", ["127.0.0.1:53100", None])
async def test_a_newer_coordinator_counts_as_well_and_one_that_cannot_be_read(
    scene: Scene, told: Any
) -> None:
    staged = await scene.stage(partitions=PART)
    milvus_runs(scene, "mixcoord", told)
    collected(scene, staged, "insert_log")

    with pytest.raises(ObjectMissing):
        await scene.prove(staged)


async def test_what_is_whole_is_proved_beside_a_running_milvus(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    before = await scene.prove(staged)
    milvus_runs(scene)

    assert await scene.prove(staged) == before


@pytest.mark.usefixtures("impatient")
async def test_what_is_older_than_the_tolerance_is_not_published(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    assert await scene.prove(staged), "no Milvus runs, so nothing is collected"
    milvus_runs(scene)

    with pytest.raises(ObjectMissing, match=r"'orders' may be \d+ s old, the tolerance is 0.001 s"):
        await scene.prove(staged)


@pytest.mark.usefixtures("impatient_and_paused")
async def test_age_does_not_matter_while_the_collection_is_paused(scene: Scene) -> None:
    staged = await scene.stage(partitions=PART)
    milvus_runs(scene)

    assert await scene.prove(staged)


async def test_without_a_stated_tolerance_age_is_told_and_is_no_failure(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("activities.surviving.USUAL_TOLERANCE", 0.001)
    staged = await scene.stage(partitions=PART)
    milvus_runs(scene)

    assert await scene.prove(staged)
    assert [record.levelname for record in caplog.records if "s old" in record.message] == ["WARNING"]
