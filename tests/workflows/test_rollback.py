"""RollbackRestore by hand: for a restore whose workflow is gone."""

import pytest
from temporalio.client import WorkflowExecutionStatus

from restore.errors import AccessDenied, InvalidRequest
from restore.steps import RollbackRequest, RollbackResult
from tests.workflows.trial import Trial, failure_of, status
from tests.workflows.world import OBJECTS

pytestmark = pytest.mark.usefixtures("worker")


def leftovers(trial: Trial) -> RollbackRequest:
    """What a restore whose workflow was terminated leaves, and the request that removes it."""
    world = trial.world
    world.job += 1
    world.plans, world.made, world.owner = {str(world.job)}, {str(world.job)}, "active"
    world.objects = {0: OBJECTS, 1: 3}
    world.records, world.completed = {0, 1}, {0}
    return RollbackRequest(job_id=str(world.job))


async def test_a_rollback_tells_what_it_removed(trial: Trial) -> None:
    request = leftovers(trial)

    result = await trial.undo(request)

    assert result == RollbackResult(job_id=request.job_id, records=2, objects=OBJECTS + 3, target="removed")
    assert trial.world.remains == []
    assert trial.world.rollbacks[0].reason == "rolled back by hand"


async def test_a_second_rollback_finds_nothing_to_do(trial: Trial) -> None:
    request = leftovers(trial)
    await trial.undo(request)

    assert await trial.undo(request) == RollbackResult(job_id=request.job_id)


async def test_records_go_before_objects_and_the_plan_goes_last(trial: Trial) -> None:
    world = trial.world
    world.held = {"remove_records", "remove_objects", "remove_target", "forget_restore"}
    rollback = await trial.begin("RollbackRestore", leftovers(trial))

    remains = []
    for step in ("remove_records", "remove_objects", "remove_target", "forget_restore"):
        await world.reached(step)
        remains.append(set(world.remains))
        world.release(step)
    await rollback.result()

    assert remains[0] - remains[1] == {"records", "tasks"}
    assert remains[1] - remains[2] == {"objects"}
    assert remains[2] - remains[3] == {"target"}
    assert remains[3] == {"plan", "reservation"}
    assert world.remains == []


@pytest.mark.parametrize("step", ["fence_restore", "remove_records", "remove_objects", "forget_restore"])
async def test_a_rollback_that_cannot_finish_says_why_and_can_be_repeated(trial: Trial, step: str) -> None:
    request = leftovers(trial)
    trial.world.errors = {step: AccessDenied("etcd refuses user 'restore'")}

    failure = await failure_of(await trial.begin("RollbackRestore", request))

    assert failure.type == "RollbackIncomplete"
    assert failure.message == (
        f"the rollback of restore {request.job_id} could not finish: etcd refuses user 'restore'; "
        "start RollbackRestore again with the same job_id once the cause is removed"
    )
    trial.world.errors = {}
    await trial.undo(request)
    assert trial.world.remains == []


async def test_a_published_restore_is_not_rolled_back(trial: Trial) -> None:
    request = leftovers(trial)
    reason = f"restore {request.job_id} is published; drop the collection instead"
    trial.world.errors = {"fence_restore": InvalidRequest(reason)}

    failure = await failure_of(await trial.begin("RollbackRestore", request))

    assert (failure.type, failure.message) == ("InvalidRequest", reason)
    assert trial.world.records == {0, 1}


async def test_a_cancel_does_not_stop_a_rollback(trial: Trial) -> None:
    trial.world.held = {"remove_records"}
    rollback = await trial.begin("RollbackRestore", leftovers(trial))
    await trial.world.reached("remove_records")

    await rollback.cancel()
    trial.world.release()
    await rollback.result()

    assert await status(rollback) == WorkflowExecutionStatus.COMPLETED
    assert trial.world.remains == []
