"""An object store whose copies can be made to stand still, or to meet a surprise."""

import threading
from collections.abc import Callable

from stores.ports import Location, ObjectStat
from stores.s3 import S3ObjectStore
from stores.s3_connection import Access

_PATIENCE = 30.0
"""Seconds for which a copy stands still at most, so that a failing test ends."""


class HeldStore(S3ObjectStore):
    """While held, copies stand still until they are released or told to stop.

    `begun` are the sources of all that were begun; `surprise` is called when the next one begins.
    """

    def __init__(self, access: Access) -> None:
        super().__init__(access)
        self.begun: list[str] = []
        self.surprise: Callable[[Location], object] | None = None
        self._changed = threading.Condition()
        self._held = False

    def hold(self) -> None:
        """Let every copy from now on stand still."""
        self._held = True

    def release(self) -> None:
        """Let all copies go on."""
        with self._changed:
            self._held = False
            self._changed.notify_all()

    def await_begun(self, number: int) -> None:
        """Return once so many copies have begun."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.begun) >= number, _PATIENCE), len(self.begun)

    def copy(
        self, source: Location, target: Location, stat: ObjectStat, go_on: Callable[[], bool] = lambda: True
    ) -> bool:
        """Copy as S3 does, once it stands still no more."""
        with self._changed:
            surprise, self.surprise = self.surprise, None
            self.begun.append(source.key)
            self._changed.notify_all()
            while self._held and go_on():
                self._changed.wait(0.01)
        if surprise:
            surprise(source)
        return super().copy(source, target, stat, go_on)
