import asyncio
from collections.abc import Callable

import pytest
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    CancelledError,
    ChildWorkflowError,
    FailureError,
    TerminatedError,
    TimeoutType,
)
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows.control import explain, finish, first_failure, invalid, root_cause

MISSING = ApplicationError("object 1 is absent", type="ObjectMissing", non_retryable=True)


def in_activity(cause: FailureError) -> ActivityError:
    """The error of an activity that ended so."""
    error = ActivityError(
        "Activity task failed",
        scheduled_event_id=5,
        started_event_id=6,
        identity="worker",
        activity_type="copy_objects",
        activity_id="1",
        retry_state=None,
    )
    error.__cause__ = cause
    return error


def in_task(cause: FailureError) -> ChildWorkflowError:
    """The error of a CopySegment that ended so."""
    error = ChildWorkflowError(
        "Child Workflow execution failed",
        namespace="default",
        workflow_id="restore/default/orders/task-1",
        run_id="r",
        workflow_type="CopySegment",
        initiated_event_id=7,
        started_event_id=8,
        retry_state=None,
    )
    error.__cause__ = cause
    return error


def timed_out(cause: FailureError | None = None) -> ActivityTimeout:
    error = ActivityTimeout(
        "activity Heartbeat timeout", type=TimeoutType.HEARTBEAT, last_heartbeat_details=[]
    )
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("wrap", [in_activity, in_task, lambda error: in_task(in_activity(error))])
def test_the_root_cause_is_told_with_its_own_type_and_message(
    wrap: Callable[[FailureError], FailureError],
) -> None:
    failure = explain(wrap(MISSING))

    assert (failure.type, failure.message) == ("ObjectMissing", "object 1 is absent")
    assert failure.non_retryable


def test_an_explained_failure_is_not_looked_through() -> None:
    outer = ApplicationError("segment 442: object 1 is absent", type="ObjectMissing")
    outer.__cause__ = in_activity(MISSING)

    assert root_cause(in_task(outer)) is outer


def test_a_note_follows_the_message() -> None:
    assert explain(in_activity(MISSING), note="; and more").message == "object 1 is absent; and more"


def test_what_has_no_name_of_its_own_is_named_by_where_it_happened() -> None:
    silent = explain(in_activity(timed_out()))
    ended = explain(in_task(TerminatedError("Terminated")))

    assert (silent.type, silent.message) == (
        "TimeoutError",
        "activity copy_objects: activity Heartbeat timeout",
    )
    assert (ended.type, ended.message) == (
        "TerminatedError",
        "workflow restore/default/orders/task-1: Terminated",
    )


def test_an_activity_that_ran_out_of_time_tells_why_it_was_repeated() -> None:
    unavailable = ApplicationError("503 SlowDown", type="StoreUnavailable")

    failure = explain(in_activity(timed_out(unavailable)))

    assert (failure.type, failure.message) == ("StoreUnavailable", "503 SlowDown")


def test_any_other_error_is_told_by_its_class() -> None:
    failure = explain(ValueError("nobody foresaw this"))

    assert (failure.type, failure.message) == ("ValueError", "nobody foresaw this")


def test_the_first_failure_of_a_group_is_the_one_that_is_no_cancellation() -> None:
    cancelled = in_task(CancelledError("Cancelled"))
    real = in_task(MISSING)

    assert first_failure(BaseExceptionGroup("tasks", [cancelled, real])) is real
    assert (
        first_failure(BaseExceptionGroup("tasks", [BaseExceptionGroup("inner", [cancelled, real])])) is real
    )
    assert first_failure(BaseExceptionGroup("tasks", [cancelled])) is cancelled
    assert first_failure(real) is real


def test_an_invalid_input_is_never_tried_again() -> None:
    failure = invalid("field target: Field required")

    assert (failure.type, failure.message) == ("InvalidRequest", "field target: Field required")
    assert failure.non_retryable


async def test_what_must_be_finished_outlives_every_cancel_and_tells_of_each() -> None:
    may_end, refusals = asyncio.Event(), asyncio.Queue[str]()

    async def work() -> str:
        await may_end.wait()
        return "done"

    finishing = asyncio.ensure_future(finish(work(), refused=lambda: refusals.put_nowait("refused")))
    await asyncio.wait([finishing], timeout=0)
    for _ in range(2):
        finishing.cancel()
        assert await asyncio.wait_for(refusals.get(), 5) == "refused"
    may_end.set()

    assert await asyncio.wait_for(finishing, 5) == "done"
    assert refusals.empty()


async def test_what_must_be_finished_may_fail() -> None:
    async def work() -> None:
        raise MISSING

    with pytest.raises(ApplicationError, match="object 1 is absent"):
        await finish(work())
