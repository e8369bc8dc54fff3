"""CreateSnapshot: all of a snapshot, or nothing."""

import asyncio
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from restore.errors import AccessDenied, ObjectMissing, SnapshotExists
from restore.snapshot_request import SnapshotResult
from tests.workflows.snapshot_fakes import COUNT
from tests.workflows.trial import Trial, ends_cancelled, events, eventually, failure_of, status
from tests.workflows.world import COLLECTION

pytestmark = pytest.mark.usefixtures("worker")

BEFORE_COMMIT = ["flush_collection", "begin_snapshot", "write_snapshot"]


async def begun(trial: Trial, **fields: Any) -> WorkflowHandle[Any, Any]:
    request = {"collection": "orders", "name": "nightly", "flush": True, **fields}
    return await trial.begin("CreateSnapshot", request)


async def test_a_snapshot_is_committed_and_told(trial: Trial) -> None:
    result = await (await begun(trial)).result()

    (snapshot,) = trial.world.snapshots
    assert result == SnapshotResult(
        snapshot_id=snapshot,
        collection_id=COLLECTION,
        segments=COUNT.segments,
        rows=COUNT.rows,
        objects=COUNT.objects,
        bytes=COUNT.bytes,
        metadata=f"s3://b/{snapshot}.json",
    )
    assert trial.world.snapshots[snapshot] == "COMMITTED"
    assert "discard_snapshot" not in trial.world.seen


async def test_nothing_is_flushed_unless_it_is_asked_for(trial: Trial) -> None:
    await (await begun(trial, flush=False)).result()

    assert "flush_collection" not in trial.world.seen


async def test_a_refused_request_leaves_nothing_to_discard(trial: Trial) -> None:
    trial.world.errors["open_snapshot"] = SnapshotExists("snapshot 'nightly' exists already")

    failure = await failure_of(await begun(trial))

    assert (failure.type, failure.message) == ("SnapshotExists", "snapshot 'nightly' exists already")
    assert "discard_snapshot" not in trial.world.seen


@pytest.mark.parametrize("step", [*BEFORE_COMMIT, "commit_snapshot"])
async def test_a_step_that_fails_ends_the_snapshot_and_leaves_nothing(trial: Trial, step: str) -> None:
    trial.world.errors[step] = ObjectMissing("object a is absent")

    failure = await failure_of(await begun(trial))

    assert (failure.type, failure.message) == ("ObjectMissing", "object a is absent")
    assert trial.world.remains == []


@pytest.mark.parametrize("step", BEFORE_COMMIT)
async def test_a_cancel_before_the_commit_leaves_nothing(trial: Trial, step: str) -> None:
    trial.world.held = {step}
    creation = await begun(trial)
    await trial.world.reached(step)

    await creation.cancel()

    await ends_cancelled(creation)
    assert trial.world.remains == []


async def test_a_step_that_ends_well_in_spite_of_a_cancel_is_undone_all_the_same(trial: Trial) -> None:
    trial.world.held = trial.world.deaf = {"write_snapshot"}
    creation = await begun(trial)
    await trial.world.reached("write_snapshot")

    await creation.cancel()

    await ends_cancelled(creation)
    assert trial.world.remains == []


async def test_a_cancel_that_arrives_during_the_commit_is_refused(trial: Trial) -> None:
    trial.world.held = {"commit_snapshot"}
    creation = await begun(trial)
    await trial.world.reached("commit_snapshot")
    await creation.cancel()

    async def arrived() -> bool:
        return await events(creation, "WORKFLOW_EXECUTION_CANCEL_REQUESTED") > 0

    await eventually(arrived, "the cancel is in the history")
    trial.world.release()
    await creation.result()

    assert await status(creation) == WorkflowExecutionStatus.COMPLETED
    assert list(trial.world.snapshots.values()) == ["COMMITTED"]


async def test_what_cannot_be_discarded_is_told_with_its_cause(trial: Trial) -> None:
    trial.world.errors["write_snapshot"] = ObjectMissing("object a is absent")
    trial.world.errors["discard_snapshot"] = AccessDenied("the bucket refuses")

    failure = await failure_of(await begun(trial))

    assert failure.type == "RollbackIncomplete"
    assert "the bucket refuses" in failure.message
    assert "object a is absent" in failure.message


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"colection": "orders"}, "colection"),
        ({"name": "7 nights"}, "name"),
        ({"name": None}, "name"),
        ({"flush": "yes"}, "flush"),
        ({"collection": "sales/orders", "database": "other"}, "sales"),
        ({"collection": "sales/"}, "collection"),
    ],
)
async def test_bad_input_is_refused_and_names_the_field(
    trial: Trial, changes: dict[str, Any], says: str
) -> None:
    failure = await failure_of(await begun(trial, **changes))

    assert failure.type == "InvalidRequest"
    assert says in failure.message


async def test_no_input_at_all_is_refused(trial: Trial) -> None:
    failure = await failure_of(await trial.begin("CreateSnapshot"))

    assert failure.type == "InvalidRequest"
    assert "collection and name" in failure.message


async def test_a_database_may_stand_before_the_collection(trial: Trial) -> None:
    trial.world.held = {"begin_snapshot"}
    creation = await begun(trial, collection="sales/orders")
    await trial.world.reached("begin_snapshot")

    described = await creation.describe()
    assert "sales/orders/nightly" in str([each async for each in creation.fetch_history_events()]), (
        described.id
    )
    trial.world.release()
    async with asyncio.timeout(30):
        await creation.result()
