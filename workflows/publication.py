"""Making a restore visible: past the point of no return, so refusals are waited out, not failed on."""

from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.publishing import PublishActivities
from restore.steps import Certified, Completion
from workflows import options
from workflows.control import explain

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
"""Between two tries after a store refused: someone has to give the right back first, and a day of waiting
must not fill the history.
"""


async def publish(completion: Completion, waiting: Callable[[str], None]) -> Certified:
    """Publish and certify; `waiting` is told why it takes longer.

    A refused store leaves a restore half visible, and only going on can mend that. Every other failure is
    raised: another try would meet it again.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await _publish(completion)
        except FailureError as error:
            failure = explain(error)
            if failure.type != "AccessDenied":
                raise failure from error
            waiting(f"publishing waits, since a store refuses: {failure.message}")
        await workflow.sleep(pause, summary="until the store admits us again")
        pause = min(2 * pause, LONGEST_PAUSE)


async def _publish(completion: Completion) -> Certified:
    await workflow.execute_activity_method(
        PublishActivities.publish_restore,
        completion.staged,
        summary="the point of no return",
        **options.WHOLE,
    )
    return await workflow.execute_activity_method(
        PublishActivities.complete_restore,
        completion,
        summary="certificate, then the commit marker",
        **options.STEP,
    )
