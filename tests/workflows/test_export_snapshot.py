"""ExportSnapshot: a whole bundle, or nothing of it; the source is held meanwhile."""

from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from restore.errors import AccessDenied, ObjectMissing
from tests.workflows.trial import Trial, ends_cancelled, failure_of

pytestmark = pytest.mark.usefixtures("worker")


async def begun(trial: Trial, **fields: Any) -> WorkflowHandle[Any, Any]:
    return await trial.begin("ExportSnapshot", {"snapshot": "orders/nightly", "to": "s3://b/p/", **fields})


async def test_a_bundle_lies_in_a_folder_of_its_own_and_the_source_is_held_until_then(trial: Trial) -> None:
    trial.world.held = {"write_bundle"}
    export = await begun(trial)
    await trial.world.reached("write_bundle")
    assert len(trial.world.pins) == 1
    trial.world.release()

    result = await export.result()

    (root,) = trial.world.files
    assert root.startswith("p/exports/")
    assert (result.metadata, result.segments) == (f"s3://b/{root}", 3)
    assert trial.world.pins == set()


@pytest.mark.parametrize("step", ["open_export", "write_bundle"])
async def test_a_failed_export_leaves_nothing(trial: Trial, step: str) -> None:
    trial.world.errors[step] = ObjectMissing("object a is absent")

    failure = await failure_of(await begun(trial))

    assert (failure.type, failure.message) == ("ObjectMissing", "object a is absent")
    assert trial.world.remains == []


@pytest.mark.parametrize("step", ["open_export", "write_bundle"])
async def test_a_cancelled_export_leaves_nothing(trial: Trial, step: str) -> None:
    trial.world.held = {step}
    export = await begun(trial)
    await trial.world.reached(step)

    await export.cancel()

    await ends_cancelled(export)
    assert trial.world.remains == []


async def test_what_cannot_be_taken_away_is_told_with_its_cause(trial: Trial) -> None:
    trial.world.errors["write_bundle"] = ObjectMissing("object a is absent")
    trial.world.errors["discard_bundle"] = AccessDenied("the bucket refuses")

    failure = await failure_of(await begun(trial))

    assert failure.type == "RollbackIncomplete"
    assert "the bucket refuses" in failure.message
    assert "object a is absent" in failure.message


@pytest.mark.parametrize("to", ["b/p", "s3://", "s3://b/../p", "s3://b//p", "gs://b/p"])
async def test_a_place_that_is_none_is_refused(trial: Trial, to: str) -> None:
    failure = await failure_of(await begun(trial, to=to))

    assert (failure.type, "to" in failure.message) == ("InvalidRequest", True)
