"""An S3 server whose copies wait until a test lets them through, so that "in the middle" is no accident."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stores.s3_connection import Access
from tests.stores.faulty_s3 import Answer, FaultyS3, Request, faulty


class Valve:
    """A fault of FaultyS3: holds each copy back until it is let through."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._allowed = 0
        self._open = False
        self.asked = 0
        self.waiting = 0

    def __call__(self, request: Request, server: Callable[[Request], Answer]) -> Answer:
        if request.operation == "CopyObject":
            self._pass()
        return server(request)

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

    def _pass(self) -> None:
        with self._changed:
            self.asked += 1
            self.waiting += 1
            self._changed.wait_for(lambda: self._open or self._allowed > 0)
            self.waiting -= 1
            self._allowed -= 1


@contextmanager
def slow_s3(servers: dict[str, str]) -> Iterator[FaultyS3]:
    """A proxy before the S3 server to which the settings lead; a valve that is set at the end is opened."""
    access = Access(
        "default",
        servers["RESTORE_S3_ENDPOINT"],
        servers["RESTORE_S3_REGION"],
        servers["AWS_ACCESS_KEY_ID"],
        servers["AWS_SECRET_ACCESS_KEY"],
    )
    with faulty(access) as proxy:
        try:
            yield proxy
        finally:
            if isinstance(proxy.fault, Valve):
                proxy.fault.open()
