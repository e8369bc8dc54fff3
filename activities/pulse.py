"""Running blocking work in an activity: it beats while the work runs, and tells the work to stop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from pydantic import BaseModel
from temporalio import activity

from restore.errors import StoreUnavailable
from stores.standstill import LONGEST, STANDSTILLS

T = TypeVar("T")

BEAT_SECONDS = 1.0
"""A cancel request arrives with the answer to a heartbeat, so this is how fast a pause is."""


class Pulse:
    """Handed to blocking work: it may say where it is, and must ask now and then whether to go on."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._mark = STANDSTILLS.mark()
        self.position: BaseModel | None = None

    def stop(self) -> None:
        """Ask the work to end soon."""
        self._stop.set()

    def goes_on(self) -> bool:
        """True until the work was asked to end."""
        return not self._stop.is_set()

    def check(self) -> None:
        """Return while the work may go on; else raise CancelledError, or as `require_on_duty`."""
        if self._stop.is_set():
            raise asyncio.CancelledError
        require_on_duty(self._mark)

    def wait(self, seconds: float) -> None:
        """Return when the time is over; CancelledError at once when the work is asked to end."""
        self._stop.wait(seconds)
        self.check()

    def beat(self) -> None:
        """Send one heartbeat with the position, if there is one."""
        activity.heartbeat(*[self.position] if self.position else [])


def is_ending() -> bool:
    """True in an activity whose worker was asked to end (SIGTERM)."""
    return activity.in_activity() and activity.is_worker_shutdown()


def require_on_duty(mark: int) -> None:
    """Return unless this process has stood still since the mark or is to end; else raise StoreUnavailable.

    The attempt then fails where it is still wanted, and is made anew; where not, it is over.
    """
    if is_ending():
        raise StoreUnavailable(
            "this worker was asked to end; it begins nothing more, and another one goes on with the attempt"
        )
    if STANDSTILLS.since(mark):
        raise StoreUnavailable(
            f"this worker stood still for more than {LONGEST:g} s, so its work may have been taken over; "
            "it begins nothing more of this attempt"
        )


async def run_blocking(threads: Executor, work: Callable[[Pulse], T]) -> T:
    """The result of the work, run in a thread; when cancelled, the work was told and has ended."""
    pulse = Pulse()
    context = contextvars.copy_context()  # so that lines logged in the thread name the restore too
    running = asyncio.get_running_loop().run_in_executor(threads, context.run, work, pulse)
    try:
        while not running.done():
            pulse.beat()
            await asyncio.wait([running], timeout=BEAT_SECONDS)
        return running.result()
    except asyncio.CancelledError:
        pulse.stop()
        while not running.done():
            pulse.beat()
            await asyncio.wait([running], timeout=BEAT_SECONDS)
        if not running.cancelled():
            running.exception()  # marks it as retrieved
        raise
