"""What does harm beside the requests: to workers, and to the restore as a whole."""

import asyncio
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from tests.faults.crew import Crew


class Hand:
    """The Deeds of a run; its methods are called from the proxies' threads."""

    def __init__(self, folder: Path) -> None:
        self.crew = Crew(folder)
        self._loop = asyncio.get_running_loop()
        self._restore: WorkflowHandle[Any, Any] | None = None

    def lead(self, restore: WorkflowHandle[Any, Any]) -> None:
        """Know which restore to cancel."""
        self._restore = restore

    def kill(self) -> None:
        self.crew.kill()

    def term(self) -> None:
        self.crew.term()

    def freeze(self, seconds: float) -> None:
        self.crew.freeze(seconds)

    def cancel(self) -> None:
        """Ask for it, and do not wait for what comes of it."""
        if self._restore:
            asyncio.run_coroutine_threadsafe(self._restore.cancel(), self._loop)
