"""How a workflow awaits, ends and explains: the few functions that every orchestration here shares."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    ChildWorkflowError,
    FailureError,
    TerminatedError,
    is_cancelled_exception,
)
from temporalio.exceptions import TimeoutError as TimedOutError

T = TypeVar("T")


async def settle(operation: "asyncio.Task[T]") -> T:
    """Await an activity or child; when cancelled, cancel it, wait for its end, and stay cancelled.

    A plain await loses the request when the operation ends normally while it is being cancelled.
    """
    try:
        return await asyncio.shield(operation)
    except asyncio.CancelledError:
        if not operation.done():
            operation.cancel()
            await workflow.wait([operation])
        if not operation.cancelled():
            operation.exception()  # marks it as retrieved
        raise


async def finish(work: Awaitable[T], refused: Callable[[], None] = lambda: None) -> T:
    """Run to the end, whatever cancel request arrives meanwhile; `refused` is told of each."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise
            refused()
    return task.result()


def first_failure(error: BaseException) -> BaseException:
    """The failure that stopped a task group, not the cancellations that followed it."""
    if isinstance(error, BaseExceptionGroup):
        real = (each for each in error.exceptions if not is_cancelled_exception(each))
        return first_failure(next(real, error.exceptions[0]))
    return error


def was_cut_off(error: BaseException) -> bool:
    """True when a task or step was terminated or timed out, so that what it had begun may still go on."""
    if isinstance(error, BaseExceptionGroup):
        return any(map(was_cut_off, error.exceptions))
    cause = root_cause(error)
    told = isinstance(cause, ApplicationError) and cause.type == "TimeoutError"
    return told or isinstance(cause, TerminatedError | TimedOutError)


def root_cause(error: BaseException) -> BaseException:
    """Walk past ActivityError and ChildWorkflowError, whose messages say nothing."""
    while isinstance(error, FailureError) and not isinstance(error, ApplicationError) and error.cause:
        error = error.cause
    return error


def explain(error: BaseException, note: str = "") -> ApplicationError:
    """The same failure with its root cause as type and message; raise it `from` the error."""
    cause = root_cause(error)
    if isinstance(cause, ApplicationError):
        return ApplicationError(f"{cause.message}{note}", type=cause.type, non_retryable=True)
    message = cause.message if isinstance(cause, FailureError) else str(cause)
    return ApplicationError(f"{_place(error)}{message}{note}", type=type(cause).__name__, non_retryable=True)


def _place(error: BaseException) -> str:
    """Who timed out, was cancelled or terminated; such causes do not say it themselves."""
    if isinstance(error, ChildWorkflowError):
        return f"workflow {error.workflow_id}: "
    return f"activity {error.activity_type}: " if isinstance(error, ActivityError) else ""


def invalid(message: str) -> ApplicationError:
    """The failure of a workflow whose input cannot be meant."""
    return ApplicationError(message, type="InvalidRequest", non_retryable=True)
