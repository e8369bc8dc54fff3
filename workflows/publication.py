"""Making a restore visible: past the point of no return, so refusals are waited out, not failed on."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.publishing import PublishActivities
from restore.steps import Certified, Completion
from workflows import options
from workflows.control import explain

T = TypeVar("T")

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
"""Between two tries after a store refused: someone has to give the right back first, and a day of waiting
must not fill the history.
"""


async def publish(completion: Completion, waiting: Callable[[str], None]) -> Certified:
    """Publish and certify; `waiting` is told why it takes longer. Failures but refusals are raised."""
    await _admitted(
        lambda: workflow.execute_activity_method(
            PublishActivities.publish_restore,
            completion.staged,
            summary="the point of no return",
            **options.WHOLE,
        ),
        waiting,
    )
    return await _admitted(
        lambda: workflow.execute_activity_method(
            PublishActivities.complete_restore,
            completion,
            summary="certificate, then the commit marker",
            **options.STEP,
        ),
        waiting,
    )


async def _admitted(step: Callable[[], Awaitable[T]], waiting: Callable[[str], None]) -> T:
    """The step's result, tried again after each refusal.

    A refused store leaves a restore half visible, and only going on can mend that. Every other failure is
    raised: another try would meet it again.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await step()
        except FailureError as error:
            failure = explain(error)
            if failure.type != "AccessDenied":
                raise failure from error
            waiting(f"publishing waits, since a store refuses: {failure.message}")
        await workflow.sleep(pause, summary="until the store admits us again")
        pause = min(2 * pause, LONGEST_PAUSE)
