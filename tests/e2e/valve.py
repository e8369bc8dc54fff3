"""Copies that wait until a test lets them through, so that "in the middle" is no accident."""

import threading
from collections.abc import Callable

from tests.e2e.waiting import eventually
from tests.stores.faulty_s3 import Answer, Request

DRIP = 5
"""Looks at a condition from one drop to the next: ten copies a second."""


class Valve:
    """A fault of FaultyS3: holds each copy back until it is let through.

    `asked` counts the copies that were asked for, `done` those that the store has made since.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._allowed = 0
        self._open = False
        self.asked = 0
        self.done = 0

    def __call__(self, request: Request, server: Callable[[Request], Answer]) -> Answer:
        if request.operation != "CopyObject":
            return server(request)
        self._wait()
        answer = server(request)
        with self._changed:
            self.done += 1
        return answer

    def let(self, copies: int) -> None:
        """Let so many more copies through."""
        with self._changed:
            self._allowed += copies
            self._changed.notify_all()

    def open(self) -> None:
        """Let everything through from now on."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def drip(self, until: Callable[[], object], what: str) -> None:
        """Let copies through one by one until the condition holds."""
        looks = 0

        def holds() -> object:
            nonlocal looks
            looks += 1
            if looks % DRIP == 0:
                self.let(1)
            return until()

        eventually(holds, what, 60)

    def _wait(self) -> None:
        with self._changed:
            self.asked += 1
            self._changed.wait_for(lambda: self._open or self._allowed > 0)
            self._allowed -= 1
