"""A restore that fails says why at its top, and leaves nothing behind, or what it was asked to keep."""

import pytest

from restore.errors import (
    AccessDenied,
    Fenced,
    InvalidRequest,
    ObjectMismatch,
    ObjectMissing,
    RestoreError,
    SnapshotCorrupt,
    SnapshotNotFound,
    StoreUnavailable,
    TargetBusy,
    TargetMismatch,
    TargetNotEmpty,
    TargetNotFound,
    UnsupportedFormat,
)
from restore.steps import UNREST_SECONDS
from tests.workflows.trial import (
    Restore,
    Trial,
    details,
    ends_cancelled,
    events,
    eventually,
    failure_of,
    progress,
)
from tests.workflows.world import OBJECTS
from workflows import search_attributes

pytestmark = pytest.mark.usefixtures("worker")

MISSING = "segment 442: object s3://b/insert_log/442/1 is absent, its manifest names it"


@pytest.mark.parametrize(
    "kind",
    [
        AccessDenied,
        InvalidRequest,
        ObjectMismatch,
        ObjectMissing,
        SnapshotCorrupt,
        SnapshotNotFound,
        TargetBusy,
        TargetMismatch,
        TargetNotEmpty,
        TargetNotFound,
        UnsupportedFormat,
    ],
)
@pytest.mark.parametrize("cache", [1000], ids=["cached"])  # one run of each is enough
async def test_what_opening_finds_is_the_top_failure_and_nothing_is_rolled_back(
    trial: Trial, kind: type[RestoreError]
) -> None:
    trial.world.errors = {"open_restore": kind("what, where, found, expected")}
    restore = await trial.start()

    failure = await failure_of(restore)

    assert (failure.type, failure.message) == (kind.__name__, "what, where, found, expected")
    assert trial.world.rollbacks == []
    assert trial.world.remains == []
    shown = await progress(restore)
    assert (shown.phase, shown.message) == ("failed", failure.message)
    found = (await restore.describe()).typed_search_attributes
    assert found[search_attributes.TARGET] == trial.target
    assert found[search_attributes.PHASE] == "failed"


@pytest.mark.parametrize("step", ["create_target", "plan_restore", "reserve_target", "verify_restore"])
async def test_what_fails_after_opening_is_rolled_back(trial: Trial, step: str) -> None:
    trial.world.absent = True
    trial.world.errors = {step: SnapshotCorrupt("manifest 3 contradicts itself")}

    failure = await failure_of(await trial.start())

    assert (failure.type, failure.message) == ("SnapshotCorrupt", "manifest 3 contradicts itself")
    assert [each.job_id for each in trial.world.rollbacks] == [str(trial.world.job)]
    assert trial.world.rollbacks[0].reason == failure.message
    assert trial.world.remains == []


@pytest.mark.parametrize("step", ["copy_objects", "verify_objects", "update_binlogs", "sync_text_indexes"])
async def test_a_task_that_fails_stops_its_siblings_and_one_rollback_removes_all(
    trial: Trial, step: str
) -> None:
    world = trial.world
    world.tasks = 4
    world.held = {"copy_objects/0", "copy_objects/2", f"{step}/1"}
    world.errors = {f"{step}/1": ObjectMissing(MISSING)}
    restore = await trial.start(concurrency=3)
    await world.reached("copy_objects/0", "copy_objects/2", f"{step}/1")

    world.release(f"{step}/1")
    failure = await failure_of(restore)

    assert (failure.type, failure.message) == ("ObjectMissing", MISSING)
    assert world.begun.count(3) == 0, "nothing is started after a failure"
    await ends_cancelled(trial.task(0))
    await ends_cancelled(trial.task(2))
    assert (await failure_of(trial.task(1))).message == MISSING
    assert len(world.rollbacks) == 1
    assert world.active_at_fence == [], "the rollback began before the copies had ended"
    assert world.remains == []


async def test_a_sibling_that_ends_normally_while_it_is_stopped_is_rolled_back_too(trial: Trial) -> None:
    world = trial.world
    world.held, world.deaf = {"copy_objects"}, {"copy_objects/0"}
    world.errors = {"copy_objects/1": ObjectMissing(MISSING)}
    restore = await trial.start(concurrency=2)
    await world.reached("copy_objects/0", "copy_objects/1")

    world.held = {"copy_objects/0"}
    failure = await failure_of(restore)

    assert failure.type == "ObjectMissing"
    assert world.active_at_fence == []
    assert world.remains == []


async def test_a_failed_restore_shows_its_phase_and_reason(trial: Trial) -> None:
    trial.world.errors = {"copy_objects/0": ObjectMissing(MISSING)}
    restore = await trial.start()

    await failure_of(restore)

    shown = await progress(restore)
    assert (shown.phase, shown.message) == ("failed", MISSING)
    found = (await restore.describe()).typed_search_attributes
    assert found[search_attributes.PHASE] == "failed"
    text = await details(restore)
    assert text.startswith("### Failed")
    assert MISSING in text


async def test_an_unavailable_store_is_waited_for(trial: Trial) -> None:
    world = trial.world
    world.errors = {"plan_restore": StoreUnavailable("503 SlowDown")}
    restore = await trial.start()
    await world.until(lambda: "plan_restore" in world.failed, "planning has failed once")

    world.errors = {}

    await restore.result()
    assert world.rollbacks == []


async def test_a_kept_restore_leaves_what_it_staged_for_a_later_run(trial: Trial) -> None:
    world = trial.world
    world.errors = {"copy_objects/1": ObjectMissing(MISSING)}

    failure = await failure_of(await trial.start(on_failure="keep", concurrency=1))

    assert (failure.type, failure.message) == ("ObjectMissing", MISSING)
    assert world.rollbacks == []
    assert world.owner == "kept"
    assert world.records == {0}
    kept, world.errors = world.job, {}
    result = await (await trial.start(on_failure="keep")).result()
    assert result.job_id == str(kept)
    assert result.objects == OBJECTS * world.tasks
    assert result.objects_skipped == OBJECTS + OBJECTS // 2


@pytest.mark.parametrize("on_failure", ["keep", "rollback"])
async def test_a_rival_for_a_kept_restore_leaves_it_to_the_one_that_was_faster(
    trial: Trial, on_failure: str
) -> None:
    """Both go on with one job, so a rollback of the loser's would take the winner's."""
    world = trial.world
    world.errors = {"copy_objects/1": ObjectMissing(MISSING)}
    await failure_of(await trial.start(on_failure="keep", concurrency=1))
    world.errors = {"reserve_target": TargetBusy("collection 449 is reserved by the faster one")}

    failure = await failure_of(await trial.start(on_failure=on_failure))

    assert failure.type == "TargetBusy"
    assert world.rollbacks == []
    assert world.records == {0}


async def test_a_cancel_before_a_kept_restore_is_taken_over_leaves_it_kept(trial: Trial) -> None:
    world = trial.world
    world.errors = {"copy_objects/1": ObjectMissing(MISSING)}
    await failure_of(await trial.start(on_failure="keep", concurrency=1))
    world.errors, world.held = {}, {"reserve_target"}
    restore = await trial.start()
    await world.reached("reserve_target")

    await restore.cancel()
    await ends_cancelled(restore)

    assert (world.owner, world.records, world.rollbacks) == ("kept", {0}, [])


async def test_keep_rolls_back_where_nothing_is_reserved_yet(trial: Trial) -> None:
    trial.world.errors = {"reserve_target": TargetBusy("collection 449 is reserved by restore 9")}

    failure = await failure_of(await trial.start(on_failure="keep"))

    assert failure.type == "TargetBusy"
    assert len(trial.world.rollbacks) == 1
    assert trial.world.remains == []


async def test_what_cannot_be_kept_does_not_hide_why_the_restore_failed(trial: Trial) -> None:
    trial.world.errors = {
        "copy_objects/1": ObjectMissing(MISSING),
        "keep_restore": Fenced("the reservation is gone"),
    }
    restore = await trial.start(on_failure="keep")

    failure = await failure_of(restore)

    assert failure.type == "ObjectMissing"
    assert failure.message == f"{MISSING}; what it staged could not be kept: the reservation is gone"
    assert (await progress(restore)).phase == "failed"


@pytest.mark.parametrize("step", ["fence_restore", "remove_records", "remove_objects", "forget_restore"])
async def test_a_rollback_that_cannot_finish_says_so_and_why_it_was_wanted(trial: Trial, step: str) -> None:
    trial.world.errors = {
        "copy_objects/1": ObjectMissing(MISSING),
        step: AccessDenied("DeleteObjects is refused for profile 'default'"),
    }
    restore = await trial.start()

    failure = await failure_of(restore)

    assert failure.type == "RollbackIncomplete"
    assert "DeleteObjects is refused for profile 'default'" in failure.message
    assert MISSING in failure.message
    assert f"rollback of restore {trial.world.job}" in failure.message
    shown = await progress(restore)
    assert (shown.phase, shown.message) == ("failed", failure.message)
    assert (await failure_of(trial.rollback)).type == "RollbackIncomplete"
    trial.world.errors = {}
    await trial.undo(trial.world.rollbacks[0])
    assert trial.world.remains == []


@pytest.mark.parametrize("step", ["publish_restore", "complete_restore"])
async def test_publishing_that_fails_is_not_rolled_back_and_says_why(trial: Trial, step: str) -> None:
    trial.world.errors = {step: Fenced("the reservation is held by restore 9")}
    restore = await trial.start()

    failure = await failure_of(restore)

    assert (failure.type, failure.message) == ("Fenced", "the reservation is held by restore 9")
    assert trial.world.rollbacks == []
    assert (await progress(restore)).phase == "failed"


@pytest.mark.parametrize("step", ["publish_restore", "complete_restore"])
async def test_a_store_that_refuses_while_publishing_is_waited_for(trial: Trial, step: str) -> None:
    trial.world.errors = {step: AccessDenied("the key was revoked")}
    restore = await trial.start()

    await eventually(lambda: _waits(restore), "the wait and its reason are shown")
    trial.world.errors = {}
    await restore.result()

    assert trial.world.rollbacks == []
    assert trial.world.published == {0, 1}


async def _waits(restore: Restore) -> bool:
    return "publishing waits, since a store refuses: the key was revoked" in (await progress(restore)).message


async def test_a_task_that_somebody_cancelled_is_named(trial: Trial) -> None:
    trial.world.held = {"copy_objects/1"}
    restore = await trial.start()
    await trial.world.reached("copy_objects/1")

    await trial.task(1).cancel()
    failure = await failure_of(restore)

    assert "task-1" in failure.message
    assert trial.world.remains == []


async def test_a_task_that_somebody_terminated_is_named(trial: Trial) -> None:
    world = trial.world
    world.held = {"copy_objects/1"}
    restore = await trial.start()
    await world.reached("copy_objects/1")

    await trial.task(1).terminate(reason="by hand")
    failure = await failure_of(restore)

    assert (failure.type, "task-1" in failure.message) == ("TerminatedError", True)
    assert world.remains == []
    assert [each.unrest_seconds for each in world.rollbacks] == [UNREST_SECONDS]


async def test_a_rollback_does_not_wait_for_tasks_that_have_ended(trial: Trial) -> None:
    trial.world.errors = {"copy_objects/1": ObjectMissing(MISSING)}

    await failure_of(await trial.start())

    assert [each.unrest_seconds for each in trial.world.rollbacks] == [0]


async def test_a_task_waits_for_an_earlier_one_of_its_name_to_stop(trial: Trial) -> None:
    """As a restore that was terminated a moment ago leaves it."""
    earlier = await trial.client.start_workflow("CopySegment", id=f"{trial.id}/task-0", task_queue="nobody's")
    restore = await trial.start()
    await eventually(lambda: _has_timer(restore), "it waits")

    await earlier.terminate()
    await restore.result()

    assert trial.world.published == {0, 1}


async def _has_timer(restore: Restore) -> bool:
    return await events(restore, "TIMER_STARTED") > 0
