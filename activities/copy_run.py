"""Copying many objects at once from one queue, in threads that stop at the next object."""

import asyncio
import contextvars
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor

from activities.pulse import BEAT_SECONDS, is_ending, require_on_duty
from restore.plan import PlannedObject
from stores.ports import ObjectStat
from stores.standstill import STANDSTILLS

Item = tuple[PlannedObject, ObjectStat]
Copy = Callable[[PlannedObject, ObjectStat, Callable[[], bool]], bool]


class CopyRun:
    """Counts what is copied; `copy` answers False when it was stopped half-way and left nothing."""

    def __init__(self, items: Iterable[Item], copy: Copy) -> None:
        self._queue = deque(items)
        self._copy = copy
        self._going = True
        self._mark = STANDSTILLS.mark()
        self._lock = threading.Lock()
        self.objects = 0
        self.bytes = 0

    @property
    def halted(self) -> bool:
        """True when nothing more will be started, though copies may be in flight."""
        return not self._going

    async def run(self, threads: Executor, lanes: int, beat: Callable[[], Awaitable[None]]) -> None:
        """Copy everything, calling `beat` about once a second, also while waiting for an end.

        On the first error, or a cancel, start nothing more, wait for what is in flight, and raise.
        """
        loop = asyncio.get_running_loop()
        pending = {
            loop.run_in_executor(threads, contextvars.copy_context().run, self._lane)
            for _ in range(min(lanes, len(self._queue)))
        }
        try:
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=BEAT_SECONDS, return_when=asyncio.FIRST_EXCEPTION
                )
                for lane in done:
                    lane.result()
                await beat()
        finally:
            self._going = False
            while pending:
                await beat()
                done, pending = await asyncio.wait(pending, timeout=BEAT_SECONDS)
                for lane in done:
                    lane.exception()  # marks it as retrieved; the first error is already on its way

    def _lane(self) -> None:
        try:
            while self._going and (item := self._take()):
                require_on_duty(self._mark)
                if self._copy(*item, self._goes_on):
                    self._count(item[1])
                else:
                    require_on_duty(self._mark)
        except BaseException:
            self._going = False
            raise

    def _goes_on(self) -> bool:
        return self._going and not is_ending()

    def _take(self) -> Item | None:
        try:
            return self._queue.popleft()
        except IndexError:
            return None

    def _count(self, stat: ObjectStat) -> None:
        with self._lock:
            self.objects += 1
            self.bytes += stat.size
