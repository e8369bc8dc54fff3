"""Noticing that this process stood still: suspended, or starved, while the world went on.

Who wakes after that must begin nothing in the name of what he did before: the work was given to another
worker, and perhaps undone. Writes to etcd are guarded; what object storage takes, it takes from anybody.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

LONGEST: Final = 10.0
"""Seconds without a tick that count as a standstill: less than the 15 s after which work is taken over."""

TICK: Final = 0.5


class Standstills:
    """Counts the standstills of this process, from the first `mark` on; thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._count = 0
        self._last: float | None = None

    def mark(self) -> int:
        """Return what `since` compares with."""
        with self._lock:
            if self._last is None:
                self._last = self.clock()
                threading.Thread(target=self._run, daemon=True, name="standstill").start()
            return self._look()

    def since(self, mark: int) -> bool:
        """True when the process has stood still since the mark, however short ago it woke."""
        with self._lock:
            return self._look() != mark

    def _look(self) -> int:
        """Whoever comes first after a standstill counts it: its ticker or a thread that asks."""
        now = self.clock()
        self._count += now - (self._last or now) > LONGEST
        self._last = now
        return self._count

    def _run(self) -> None:
        while True:
            time.sleep(TICK)
            with self._lock:
                self._look()


STANDSTILLS: Final = Standstills()
"""Those of this process."""
