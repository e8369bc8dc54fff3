"""What does harm beside the requests: to workers, to servers, and to the restore as a whole."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from tests.faults.crew import Crew
from tests.faults.outages import Outages
from tests.faults.steps import Server


class Hand:
    """The Deeds of a run, called from the proxies' threads; and what makes up for them, from one thread."""

    def __init__(self, folder: Path, outages: Outages | None = None) -> None:
        self.crew = Crew(folder)
        self.outages = outages
        self._loop = asyncio.get_running_loop()
        self._restore: WorkflowHandle[Any, Any] | None = None

    def lead(self, restore: WorkflowHandle[Any, Any]) -> None:
        """Know which restore to cancel."""
        self._restore = restore

    def tend(self) -> None:
        """Have the servers back whose time is over, and as soon as all are there, a worker at work."""
        if self.outages is None:
            self.crew.tend()
            return
        with self.outages.lock:  # a worker cannot start without its servers
            self.outages.tend()
            if not self.outages.down:
                self.crew.tend()

    def mend(self) -> None:
        """Have all servers back now."""
        if self.outages:
            self.outages.mend()

    def rest(self) -> None:
        """Have all servers back, and harm none of them any more."""
        if self.outages:
            self.outages.end()

    def kill(self) -> None:
        self.crew.kill()

    def term(self) -> None:
        self.crew.term()

    def freeze(self, seconds: float) -> None:
        self.crew.freeze(seconds)

    def strike(self, servers: Iterable[Server], seconds: float) -> None:
        assert self.outages, "a fault kills servers that are not this run's own"
        self.outages.strike(servers, seconds)

    def cancel(self) -> None:
        """Ask for it, and do not wait for what comes of it."""
        if self._restore:
            asyncio.run_coroutine_threadsafe(self._restore.cancel(), self._loop)
