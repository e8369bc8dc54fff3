"""The pin on a restore's source: taken before planning, renewed for as long as it lasts, given back."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.pinning import PinActivities
from restore.request import RestoreRequest
from restore.source_pin import RENEW_SECONDS, PinOrder, SourcePin
from workflows import options
from workflows.control import finish

_PATCH = "pin-source"


class SourceHold:
    """One restore's pin, if it has one; `pin` is what a run hands to the run that continues it."""

    def __init__(self, pin: SourcePin | None) -> None:
        self.pin = pin
        self._renewal: asyncio.Task[None] | None = None

    async def take(self, request: RestoreRequest, job_id: str) -> None:
        """Have the source pinned, where that can be done, and renewed from now on.

        Raises ActivityError of SnapshotNotFound when the source is being dropped.
        """
        if not workflow.patched(_PATCH):
            return
        # Not cut short by a cancel, which is obeyed afterwards: a pin that nobody knows of stays for a day.
        self.pin = await finish(
            workflow.execute_activity_method(
                PinActivities.pin_source,
                PinOrder(request=request, job_id=job_id),
                summary="the snapshot is not dropped while it is restored",
                **options.STEP,
            )
        )
        self.renew(at_once=False)
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError

    def renew(self, *, at_once: bool) -> None:
        """Have the pin renewed now and then; `at_once` in a run that continues another."""
        if self.pin:
            self._renewal = asyncio.create_task(self._keep(self.pin, at_once=at_once))

    async def release(self) -> None:
        """Have no pin; one that cannot be given back expires by itself."""
        if self._renewal:
            self._renewal.cancel()
            await workflow.wait([self._renewal])  # or else a late renewal would put the pin again
        pin, self.pin = self.pin, None
        if pin is None:
            return
        try:
            await workflow.execute_activity_method(
                PinActivities.unpin_source, pin, summary="the source may be dropped", **options.BRIEF
            )
        except FailureError as error:
            workflow.logger.warning("the pin on the source stays until it expires: %s", error)

    async def _keep(self, pin: SourcePin, *, at_once: bool) -> None:
        while True:
            if not at_once:
                await workflow.sleep(timedelta(seconds=RENEW_SECONDS), summary="until the pin is renewed")
            at_once = False
            try:
                await workflow.execute_activity_method(
                    PinActivities.renew_pin, pin, summary="for another day", **options.STEP
                )
            except FailureError as error:
                workflow.logger.warning("the pin on the source was not renewed: %s", error)
