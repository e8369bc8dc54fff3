"""A kept restore has many possible heirs and gets one, who may ask for other ways than the first did."""

import json

import pytest

from activities.opening import OpeningActivities
from activities.reserving import ReserveActivities
from restore.errors import TargetBusy
from restore.profiles import Profile
from restore.steps import Claim
from stores.memory_objects import MemoryObjectStore
from stores.proofs import ProofArchive
from tests.activities.scene import WORKFLOW, Scene


async def test_of_two_later_runs_one_takes_over_and_the_other_is_told_of_it(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage())
    staged = await scene.begin()
    before = scene.image()
    rival = Claim(plan=kept.plan, workflow_id="another")
    with pytest.raises(TargetBusy, match=f"workflow {WORKFLOW}, active"):
        await scene.run(ReserveActivities(scene.clients).reserve_target, rival)
    assert before.changes(scene.image()) == set()
    assert (await scene.copy(staged)).skipped == staged.plan.objects


async def test_opening_tells_that_a_kept_restore_is_gone_on_with(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage())
    opening = await scene.run(OpeningActivities(scene.clients).open_restore, scene.request())
    assert (opening.job_id, opening.kept) == (kept.plan.job_id, True)


async def test_a_later_run_proves_as_it_was_asked_to(scene: Scene) -> None:
    kept = await scene.keep(await scene.stage(verify="size"))

    staged = await scene.finish(verify="full", concurrency=3)

    archive = scene.clients.archive("default")
    proofs = ProofArchive(scene.clients.objects("default"), archive, staged.plan)
    assert {each.proof for each in proofs.get(0).objects} == {"sha256"}
    certificate = json.loads(scene.body(archive.certificate_key(kept.plan.job_id)))
    assert (certificate["request"]["verify"], certificate["request"]["concurrency"]) == ("full", 3)
    assert certificate["plan_digest"] == kept.plan.digest


@pytest.fixture
def mended(profiles: dict[str, Profile]) -> None:
    """A second profile of the source."""
    profiles["mended"] = profiles["origin"].model_copy(update={"name": "mended"})


async def test_a_later_run_copies_by_the_source_that_it_was_given(mended: None, scene: Scene) -> None:
    """As after an AccessDenied, where the profile was the mistake."""
    origin = scene.clients.stores["origin"]
    await scene.keep(await scene.begin())
    scene.clients.stores |= {"mended": origin, "origin": MemoryObjectStore()}

    staged = await scene.finish(source="mended")

    assert scene.the_plan(staged.plan).request.source == "mended"
