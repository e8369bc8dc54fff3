"""DropSnapshot: nothing of a snapshot, or all of it."""

from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from restore.errors import AccessDenied, SnapshotPinned
from restore.snapshot_drop import DropResult
from tests.workflows.trial import Trial, ends_cancelled, events, eventually, failure_of, status

pytestmark = pytest.mark.usefixtures("worker")

REQUEST = {"collection": "orders", "name": "nightly"}


@pytest.fixture
def snapshot(trial: Trial) -> str:
    trial.world.snapshots["5"] = "COMMITTED"
    trial.world.files.add("5")
    return "5"


async def begun(trial: Trial, **fields: Any) -> WorkflowHandle[Any, Any]:
    return await trial.begin("DropSnapshot", {**REQUEST, **fields})


async def test_a_dropped_snapshot_leaves_nothing(trial: Trial, snapshot: str) -> None:
    result = await (await begun(trial)).result()

    assert result == DropResult(dropped=True, snapshot_id=snapshot, files=3)
    assert trial.world.remains == []


async def test_what_is_not_there_is_dropped(trial: Trial) -> None:
    assert await (await begun(trial)).result() == DropResult(dropped=False)


async def test_a_snapshot_that_is_pinned_stays(trial: Trial, snapshot: str) -> None:
    trial.world.pins.add("7")

    failure = await failure_of(await begun(trial))

    assert failure.type == SnapshotPinned.__name__
    assert trial.world.snapshots == {snapshot: "COMMITTED"}
    assert trial.world.files == {snapshot}


@pytest.mark.usefixtures("snapshot")
async def test_what_cannot_be_removed_is_told_and_finished_by_the_next(trial: Trial) -> None:
    trial.world.errors["remove_snapshot"] = AccessDenied("the bucket refuses")

    failure = await failure_of(await begun(trial))

    assert (failure.type, failure.message) == ("AccessDenied", "the bucket refuses")
    assert list(trial.world.snapshots.values()) == ["DELETING"]
    trial.world.errors.clear()
    assert (await (await begun(trial)).result()).dropped
    assert trial.world.remains == []


@pytest.mark.usefixtures("snapshot")
async def test_a_cancel_before_it_begins_leaves_all(trial: Trial) -> None:
    trial.world.held = {"open_drop"}
    drop = await begun(trial)
    await trial.world.reached("open_drop")

    await drop.cancel()

    await ends_cancelled(drop)
    assert list(trial.world.snapshots.values()) == ["COMMITTED"]


@pytest.mark.usefixtures("snapshot")
@pytest.mark.parametrize("step", ["begin_drop", "remove_snapshot"])
async def test_a_cancel_once_it_has_begun_is_refused(trial: Trial, step: str) -> None:
    trial.world.held = {step}
    drop = await begun(trial)
    await trial.world.reached(step)
    await drop.cancel()

    async def arrived() -> bool:
        return await events(drop, "WORKFLOW_EXECUTION_CANCEL_REQUESTED") > 0

    await eventually(arrived, "the cancel is in the history")
    trial.world.release()
    await drop.result()

    assert await status(drop) == WorkflowExecutionStatus.COMPLETED
    assert trial.world.remains == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"nam": "x"}, "nam"), ({"name": ""}, "name"), ({"collection": "a/b", "database": "c"}, "database")],
)
async def test_bad_input_is_refused_and_names_the_field(
    trial: Trial, changes: dict[str, Any], says: str
) -> None:
    failure = await failure_of(await begun(trial, **changes))

    assert failure.type == "InvalidRequest"
    assert says in failure.message


async def test_no_input_at_all_is_refused(trial: Trial) -> None:
    failure = await failure_of(await trial.begin("DropSnapshot"))

    assert (failure.type, "collection and name" in failure.message) == ("InvalidRequest", True)
