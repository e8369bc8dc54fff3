"""Watching a restore to its end, through idle workers and an absent server."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from restore.progress import Progress
from starter.exit_codes import ExitCode, Stop
from starter.outcome import Outcome, ended
from starter.progress_view import View
from starter.restores import Handle, SeenProgress, has_worker, no_worker

POLL_SECONDS: Final = 0.5
QUERY_TIMEOUT: Final = timedelta(seconds=3)
OUTAGE_SECONDS: Final = 60.0
"""A server may be restarted while somebody watches; the restore itself does not mind."""

_SDK_RETRIES_SECONDS: Final = 20.0
"""The SDK repeats a call for about 10 s; one that took longer had heard the server at first."""

_SERVER_AWAY: Final = "waiting: Temporal does not answer; the restore goes on as soon as it is back"

AWAY: Final = {RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED}


@dataclass(frozen=True, slots=True)
class Watched:
    """A restore under a watcher's eyes."""

    client: Client
    handle: Handle
    task_queue: str
    web_ui: str | None


async def watch(restore: Watched, view: View) -> Outcome:
    """Show the restore's progress until it has ended, and return its outcome.

    Raises Stop when the server stays away for a minute; the restore goes on then.
    """
    with view:
        following = asyncio.create_task(_follow(restore, view))
        try:
            return await _outcome(restore, view)
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following


async def look(handle: Handle) -> Progress | None:
    """Return the progress, or None when nobody answers in time: no worker, or no first task done yet."""
    try:
        progress: Progress = await handle.query(
            "progress", result_type=SeenProgress, rpc_timeout=QUERY_TIMEOUT
        )
    except (WorkflowQueryFailedError, RPCError):
        return None
    return progress


async def _follow(restore: Watched, view: View) -> None:
    while True:
        if progress := await look(restore.handle):
            view.show(progress)
        else:
            view.note(await _why_silent(restore))
        await asyncio.sleep(POLL_SECONDS)


async def _why_silent(restore: Watched) -> str:
    try:
        if await has_worker(restore.client, restore.task_queue):
            return "waiting: the worker does not answer; if it is dead, another takes over within a minute"
        return f"waiting: {no_worker(restore.task_queue)}"
    except RPCError:
        return _SERVER_AWAY


async def _outcome(restore: Watched, view: View) -> Outcome:
    away_since = None
    while True:
        asked = time.monotonic()
        try:
            return await ended(restore.handle, restore.web_ui)
        except RPCError as error:
            if error.status not in AWAY:
                raise
            now = time.monotonic()
            if away_since is None or now - asked > _SDK_RETRIES_SECONDS:
                away_since = now
            if now - away_since > OUTAGE_SECONDS:
                raise _lost(restore, error) from error
            view.note(_SERVER_AWAY)
            await asyncio.sleep(POLL_SECONDS)


def _lost(restore: Watched, error: RPCError) -> Stop:
    return Stop(
        ExitCode.UNREACHABLE,
        f"Temporal has not answered for {OUTAGE_SECONDS:.0f} s ({error.message}); the restore waits for it: "
        f"ask again with `milvus-restore status {restore.handle.id}`",
    )
