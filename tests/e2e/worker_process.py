"""`python worker.py`, as an operator runs it."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.e2e.waiting import eventually

ROOT: Final = Path(__file__).parents[2]

_DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL", "--")
_READY: Final = "polling task queue"


def clean(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """An environment in which nothing of the caller's can mislead a process."""
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), **environment}


class WorkerProcess:
    """A worker with this environment; what it prints is appended to `log`."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        self._environment = clean(environment, log.parent)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Run it; return when it polls."""
        with self.log.open("ab") as log:
            known = log.tell()
            self._process = subprocess.Popen(
                [*_DIES_WITH_US, sys.executable, "worker.py"],
                cwd=ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        eventually(lambda: self._polls(known), f"a worker polls, see {self.log}")

    def kill(self) -> None:
        """End it with SIGKILL; return when it is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        assert self._process
        self._process.terminate()

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def has_ended(self) -> bool:
        return self.exit_code is not None

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        assert self._process
        return self._process.poll()

    def _polls(self, known: int) -> bool:
        said = self.log.read_bytes()[known:].decode(errors="replace")
        assert self._process
        assert self._process.poll() is None, said[-2_000:]
        return _READY in said


@contextmanager
def working(environment: Mapping[str, str], log: Path) -> Iterator[WorkerProcess]:
    """A running worker, gone afterwards; whatever happened, its log holds no secret."""
    worker = WorkerProcess(environment, log)
    try:
        worker.start()
        yield worker
    finally:
        worker.kill()
    said = log.read_text(errors="replace")
    secrets = [value for name, value in environment.items() if "SECRET" in name]
    assert secrets
    assert [secret for secret in secrets if secret in said] == []
