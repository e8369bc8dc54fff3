"""The servers of a run: killed by faults, and started again on their ports and data after a while."""

import os
import signal
import threading
import time
from collections.abc import Iterable
from contextlib import suppress

from starter.stack import Stack
from tests.e2e.waiting import eventually


class Outages:
    """Ends servers of a stack with SIGKILL and has them come back.

    `strike` is called from the proxies' threads, everything else from one thread, since a server dies with
    the thread that started it. Whoever holds `lock` is safe from strikes.
    """

    def __init__(self, stack: Stack) -> None:
        self.lock = threading.RLock()
        self._stack = stack
        self._back_at: dict[str, float] = {}
        self._over = False

    @property
    def down(self) -> bool:
        """True while a server is missing."""
        return bool(self._back_at)

    def strike(self, names: Iterable[str], seconds: float) -> None:
        """End servers, one after the other, for a while; return when they are gone."""
        with self.lock:
            if self._over:
                return
            for name in names:
                self._kill(name)
                self._back_at[name] = time.monotonic() + seconds

    def tend(self) -> None:
        """Start those whose time is over; return when they are healthy."""
        with self.lock:
            self._start({name for name, at in self._back_at.items() if at < time.monotonic()})

    def mend(self) -> None:
        """Start all that are missing."""
        with self.lock:
            self._start(set(self._back_at))

    def end(self) -> None:
        """Start all that are missing, and let nothing strike them any more."""
        with self.lock:
            self._over = True
            self.mend()

    def _kill(self, name: str) -> None:
        pid = self._pid(name)
        if pid:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            eventually(lambda: self._pid(name) is None, f"{name} is gone")

    def _start(self, names: set[str]) -> None:
        if names:
            self._stack.up(temporal="temporal" in names, etcd="etcd" in names, s3="s3" in names)
        for name in names:
            del self._back_at[name]

    def _pid(self, name: str) -> int | None:
        return next(each.pid for each in self._stack.status() if each.name == name)
