"""Holding off Milvus's garbage collection while a restore stages what Milvus does not know yet."""

import logging

from temporalio import activity

from activities.pulse import run_blocking
from formats.errors import UnsupportedFormat
from restore.collection_pause import PAUSE_SECONDS, CollectionPause
from restore.errors import AccessDenied, RestoreError, StoreUnavailable
from stores.clients import Clients
from stores.coordinator import running_coordinator
from stores.management import Management

_log = logging.getLogger("milvus-restore")

_TRIES = 3
"""How often an endpoint that does not answer is asked before a restore is refused."""


class PauseActivities:
    """Only for profiles that name a management endpoint: then a pause is the restore's condition."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def pause_collection(self, pause: CollectionPause) -> CollectionPause:
        """Have nothing collected for an hour from now; a ticket that was given is replaced by a new one.

        A cluster that does not run needs none. AccessDenied where a running one refuses or does not answer.
        """
        return await run_blocking(self._clients.work_threads, lambda _: self._pause(pause))

    @activity.defn
    async def resume_collection(self, pause: CollectionPause) -> None:
        """Have the pause ended, unless another restore may rely on it; then it ends within the hour."""
        await run_blocking(self._clients.work_threads, lambda _: self._resume(pause))

    def _pause(self, pause: CollectionPause) -> CollectionPause:
        management = self._clients.management(pause.profile)
        if management is None:
            return pause
        try:
            ticket = management.pause(PAUSE_SECONDS)
        except StoreUnavailable as error:
            if not self._runs(pause.profile):
                return pause
            if activity.info().attempt < _TRIES:
                raise
            raise AccessDenied(
                f"garbage collection cannot be paused, so nothing is staged: {error}"
            ) from error
        if pause.ticket and pause.ticket != ticket:
            _end(management, pause)
        return CollectionPause(profile=pause.profile, ticket=ticket)

    def _resume(self, pause: CollectionPause) -> None:
        management = self._clients.management(pause.profile)
        if management and (pause.ticket or not self._others(pause.profile)):
            _end(management, pause)

    def _runs(self, profile: str) -> bool:
        try:
            return (
                running_coordinator(self._clients.metadata(profile), self._clients.keys(profile)) is not None
            )
        except (UnsupportedFormat, AccessDenied):  # whoever may not look takes it for running
            return True

    def _others(self, profile: str) -> bool:
        """True while anything is reserved in the cluster; this restore's own reservation is over by now."""
        prefix = self._clients.keys(profile).reservations
        return next(iter(self._clients.metadata(profile).scan(prefix, keys_only=True)), None) is not None


def _end(management: Management, pause: CollectionPause) -> None:
    try:
        management.resume(pause.ticket)
    except RestoreError as error:
        _log.warning("a pause of the garbage collection stays until it is over by itself: %s", error)
