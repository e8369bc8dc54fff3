"""The pause of the target cluster's garbage collection: taken before anything is staged, then renewed."""

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.pausing import PauseActivities
from restore.collection_pause import RENEW_SECONDS, CollectionPause
from workflows import options
from workflows.control import finish


class CollectionHold:
    """One restore's pause, if it has one; `pause` is what a run hands to the run that continues it."""

    def __init__(self, pause: CollectionPause | None) -> None:
        self.pause = pause
        self._renewal: asyncio.Task[None] | None = None

    async def take(self, profile: str) -> None:
        """Have the collection paused, and the pause renewed from now on; ActivityError when refused."""
        # Taken for granted from here on: a pause whose answer was lost is ended as well.
        self.pause = pause = CollectionPause(profile=profile)
        # Not cut short by a cancel, which is obeyed afterwards: else a late pause would follow the resume.
        await finish(self._again(pause))
        self.renew(at_once=False)
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError

    def renew(self, *, at_once: bool) -> None:
        """Have the pause renewed now and then; `at_once` in a run that continues another."""
        if self.pause:
            self._renewal = asyncio.create_task(self._keep(self.pause, at_once=at_once))

    async def release(self, *, published: bool) -> None:
        """Have the collection resumed, where nothing was published.

        What was published is known to etcd alone until the coordinator starts again, which forgets the pause:
        so that one is prolonged a last time, and otherwise ends by itself.
        """
        if self._renewal:
            self._renewal.cancel()
            await workflow.wait([self._renewal])  # or else a late renewal would pause again
            self._renewal = None
        if self.pause is None:
            return
        try:
            if published:
                await self._again(self.pause, options.BRIEF)
            else:
                await workflow.execute_activity_method(
                    PauseActivities.resume_collection,
                    self.pause,
                    summary="garbage may be collected again",
                    **options.BRIEF,
                )
        except FailureError as error:
            workflow.logger.warning("the pause of the garbage collection ends by itself: %s", error)
        self.pause = None

    async def _again(self, pause: CollectionPause, limits: options.Limits = options.STEP) -> None:
        self.pause = await workflow.execute_activity_method(
            PauseActivities.pause_collection,
            pause,
            summary="what Milvus does not know yet is not collected",
            **limits,
        )

    async def _keep(self, first: CollectionPause, *, at_once: bool) -> None:
        while True:
            if not at_once:
                await workflow.sleep(timedelta(seconds=RENEW_SECONDS), summary="until the pause is renewed")
            at_once = False
            try:
                await self._again(self.pause or first)
            except FailureError as error:
                workflow.logger.warning("the pause of the garbage collection was not renewed: %s", error)
