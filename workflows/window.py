"""A bounded window of CopySegment children: fail-fast, pausable, and drained before a history grows long."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from restore.steps import TaskResult
from workflows.control import settle
from workflows.copy_segment import CopySegment

Child = workflow.ChildWorkflowHandle[CopySegment, TaskResult]
Start = Callable[[int], Awaitable[Child]]
Finished = Callable[[int, TaskResult], None]


class Window:
    """Runs tasks 0 to `tasks` - 1, at most `concurrency` at once.

    `tasks` is 0 until there is a plan; `cursor` is the first task never started; `again` are those that a
    pause interrupted.
    """

    def __init__(
        self, concurrency: int, *, cursor: int = 0, again: Iterable[int] = (), paused: bool = False
    ) -> None:
        self.tasks = 0
        self.concurrency = concurrency
        self.paused = paused
        self.cursor = cursor
        self.again = deque(again)
        self._running: dict[int, Child | None] = {}
        self._interrupted: set[int] = set()
        self._halted: set[int] = set()
        self._draining = False

    @property
    def running(self) -> list[int]:
        """The tasks in flight, in order."""
        return sorted(self._running)

    @property
    def finished(self) -> bool:
        """True when every task is done."""
        return self.cursor >= self.tasks and not self.again and not self._running

    async def run(self, start: Start, finished: Finished, must_drain: Callable[[], bool]) -> None:
        """Run tasks until all are done, one fails (the others are cancelled), or it is time to drain."""
        self._draining = False
        async with asyncio.TaskGroup() as group:
            while self._has_work():
                await workflow.wait_condition(lambda: self._may_start() or not self._has_work())
                self._draining = self._draining or must_drain()
                if self._may_start():
                    index = self._next()
                    self._running[index] = None
                    group.create_task(self._run_one(index, start, finished), name=f"task {index}")

    async def pause(self) -> None:
        """Interrupt the running tasks and return when none starts a copy; what they copied stays.

        A task that has halted may still wait for copies in flight, which a slow store can make long.
        """
        self.paused = True
        for index, child in self._running.items():
            if child is not None:
                self._interrupt(index, child)
        await workflow.wait_condition(lambda: self._halted.issuperset(self._running) or not self.paused)

    def halt(self, index: int) -> None:
        """Take note that a running task starts no further copy."""
        if index in self._interrupted:
            self._halted.add(index)

    def _has_work(self) -> bool:
        waiting = self.cursor < self.tasks or bool(self.again)
        return bool(self._running) or (waiting and not self._draining)

    def _may_start(self) -> bool:
        waiting = self.cursor < self.tasks or bool(self.again)
        free = len(self._running) < self.concurrency
        return waiting and free and not self.paused and not self._draining

    def _next(self) -> int:
        if self.again:
            return self.again.popleft()
        self.cursor += 1
        return self.cursor - 1

    async def _run_one(self, index: int, start: Start, finished: Finished) -> None:
        try:
            child = await start(index)
            self._running[index] = child
            if self.paused:
                self._interrupt(index, child)
            finished(index, await settle(child))
        except FailureError as error:
            if not self._was_interrupted(index, error):
                raise
            self.again.append(index)
        finally:
            self._running.pop(index, None)
            self._interrupted.discard(index)
            self._halted.discard(index)

    def _interrupt(self, index: int, child: Child) -> None:
        if index not in self._interrupted:
            self._interrupted.add(index)
            child.cancel()

    def _was_interrupted(self, index: int, error: FailureError) -> bool:
        """True for the end that a pause asked for, also when it was resumed before the task had ended."""
        ours = index in self._interrupted and workflow.cancellation_reason() is None
        return ours and is_cancelled_exception(error)
