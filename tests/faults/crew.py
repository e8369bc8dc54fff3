"""The worker processes of a run: killed, frozen and asked to end by faults, and replaced."""

import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.e2e.waiting import eventually
from tests.e2e.worker_process import WorkerProcess

ENDS: Final = 25.0
"""Seconds that a worker may take to end after SIGTERM: its grace, and the calls that it cannot break off."""


class Worker(WorkerProcess):
    """A worker that can be stopped in its tracks."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        super().__init__(environment, log)
        self.thaws_at: float | None = None

    def freeze(self, seconds: float) -> None:
        self._signal(signal.SIGSTOP)
        self.thaws_at = time.monotonic() + seconds

    def thaw(self) -> None:
        self.thaws_at = None
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process
        with suppress(ProcessLookupError):
            self._process.send_signal(number)


class Crew:
    """Keeps one worker at work, whatever happens to it; frozen ones come back beside their relief.

    `kill`, `term` and `freeze` are called from the proxies' threads, everything else from one thread,
    since a worker dies with the thread that started it.
    """

    def __init__(self, folder: Path) -> None:
        self.environment: Mapping[str, str] = {}
        self._folder = folder
        self._lock = threading.Lock()
        self._workers: list[Worker] = []

    @property
    def log(self) -> str:
        """What all of them printed."""
        return "".join(path.read_text(errors="replace") for path in sorted(self._folder.glob("worker-*.log")))

    def tend(self) -> None:
        """Replace a dead or frozen worker, and wake the frozen ones whose time is over."""
        with self._lock:
            for worker in self._workers:
                if worker.thaws_at is not None and worker.thaws_at < time.monotonic():
                    worker.thaw()
            missing = not self._workers or not _works(self._workers[-1])
        if missing:
            self._hire()

    def kill(self) -> None:
        """End the newest worker with SIGKILL."""
        self._on_newest(WorkerProcess.kill)

    def term(self) -> None:
        """Ask the newest worker to end."""
        self._on_newest(WorkerProcess.ask_to_end)

    def freeze(self, seconds: float) -> None:
        """Stop the newest worker for a while."""
        self._on_newest(lambda worker: worker.freeze(seconds))

    def thaw(self) -> None:
        """Wake every frozen worker."""
        with self._lock:
            for worker in self._workers:
                if worker.thaws_at is not None:
                    worker.thaw()

    def dismiss(self) -> None:
        """Wake every worker, ask it to end and wait for it, so that nothing is done after this."""
        self.thaw()
        alive = [worker for worker in self._workers if not worker.has_ended()]
        for worker in alive:
            worker.ask_to_end()
        for worker in alive:
            eventually(worker.has_ended, f"a worker ends, see {worker.log}", ENDS)

    def end(self) -> None:
        """Leave no process behind."""
        for worker in self._workers:
            worker.kill()

    def _hire(self) -> None:
        worker = Worker(self.environment, self._folder / f"worker-{len(self._workers)}.log")
        worker.start()
        with self._lock:
            self._workers.append(worker)

    def _on_newest(self, deed: Callable[[Worker], None]) -> None:
        with self._lock:
            worker = self._workers[-1]
            if not worker.has_ended():
                deed(worker)


def _works(worker: Worker) -> bool:
    return worker.thaws_at is None and not worker.has_ended()
