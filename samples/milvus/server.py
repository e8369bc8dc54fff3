"""A real Milvus, run from its wheel in a folder of its own."""

import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from samples.milvus.configuration import PORTS, Configuration, GarbageCollection, Place
from samples.milvus.distribution import Distribution
from starter import port
from starter.process import POLL, Process, end, spawn
from starter.servers import LocalServerFailed

_STARTS_WITHIN: Final = 60.0
_ENDS_WITHIN: Final = 15.0
"""Seconds after SIGTERM; one whose channel is broken never ends by itself."""

_DIES_WITH_US: Final = ("setpriv", "--pdeathsig", "KILL", "--")


def server_id_file(pid: int) -> Path:
    """Where a server process writes its number."""
    return Path(f"/tmp/milvus/server_id_{pid}")  # noqa: S108 - its place


class MilvusServer:
    """A standalone server: all coordinators and nodes in one process, so it restarts as a whole."""

    def __init__(self, folder: Path, place: Place, distribution: Distribution) -> None:
        self.folder = folder
        self._distribution = distribution
        self.log = folder / "server.log"
        self._metrics, *others = port.pick(("metrics", *PORTS)).values()
        self._configuration = Configuration(place, dict(zip(PORTS, others, strict=True)))
        self._process: Process | None = None

    @property
    def place(self) -> Place:
        """Where it keeps what it knows."""
        return self._configuration.place

    @property
    def address(self) -> str:
        """The proxy's `host:port`."""
        return f"127.0.0.1:{self._configuration.ports['proxy']}"

    def settings(self) -> dict[str, str]:
        """Return the environment that leads a worker's default profile here."""
        return {
            "RESTORE_S3_ENDPOINT": self.place.s3,
            "RESTORE_S3_BUCKET": self.place.bucket,
            "RESTORE_S3_ROOT_PATH": self.place.root,
            "RESTORE_ETCD_ENDPOINTS": self.place.etcd,
            "RESTORE_ETCD_ROOT_PATH": self.place.etcd_root,
            "RESTORE_MILVUS_ADDRESS": self.address,
            "AWS_ACCESS_KEY_ID": self.place.access_key,
            "AWS_SECRET_ACCESS_KEY": self.place.secret_key,
        }

    def start(self, collection: GarbageCollection | None = None) -> None:
        """Run it; return when it is healthy, else raise LocalServerFailed with its last words."""
        wanted = replace(self._configuration, collection=collection or GarbageCollection())
        self.folder.mkdir(parents=True, exist_ok=True)
        wanted.write(self._distribution.wheel, self.folder)
        program = self._distribution.unpacked()
        command = [*_DIES_WITH_US, str(program / "milvus"), "run", "standalone"]
        environment = wanted.environment() | self._environment(program)
        self._process = spawn(command, self.folder, environment, self.log)
        self._await_health(self._process)

    def stop(self) -> None:
        """Leave nothing of it running, and no port open."""
        if self._process:
            end([self._process], _ENDS_WITHIN)
            if self._process.alive:
                raise LocalServerFailed(f"Milvus (pid {self._process.pid}) is still there after SIGKILL")
            self._remove_litter(self._process)
        self._process = None

    def restart(self, collection: GarbageCollection | None = None) -> None:
        """Its coordinators have read all records anew."""
        self.stop()
        self.start(collection)

    def said(self, since: int = 0) -> str:
        """What it has logged after that many bytes."""
        with self.log.open("rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    @property
    def pid(self) -> int:
        """Of the process that runs; LocalServerFailed when there is none."""
        if self._process is None:
            raise LocalServerFailed("Milvus does not run")
        return self._process.pid

    @property
    def logged(self) -> int:
        """How many bytes it has logged."""
        return self.log.stat().st_size

    def wait_until(self, holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Return when it holds; Milvus tells nobody when it does what it does by itself.

        LocalServerFailed when that takes longer.
        """
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise LocalServerFailed(f"Milvus: not within {seconds:g} s: {what}")
            time.sleep(POLL)

    def _remove_litter(self, process: Process) -> None:
        """It writes its number to a file whose place is fixed."""
        server_id_file(process.pid).unlink(missing_ok=True)
        with suppress(OSError):  # another Milvus has its own there
            server_id_file(process.pid).parent.rmdir()

    def _environment(self, program: Path) -> dict[str, str]:
        return {
            "DEPLOY_MODE": "STANDALONE",
            "HOME": str(self.folder),
            "LD_LIBRARY_PATH": str(program),
            "METRICS_PORT": str(self._metrics),
            "PATH": "/usr/bin:/bin",
            "TMPDIR": str(self.folder),
        }

    def _await_health(self, process: Process) -> None:
        deadline = time.monotonic() + _STARTS_WITHIN
        while not self._healthy():
            if not process.alive:
                raise LocalServerFailed(f"Milvus ended while it was starting:\n{self.said()[-3_000:]}")
            if time.monotonic() > deadline:
                raise LocalServerFailed(f"Milvus does not get healthy:\n{self.said()[-3_000:]}")
            time.sleep(POLL)

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._metrics}/healthz", timeout=2) as answer:
                return bool(answer.read().strip() == b"OK")
        except OSError:
            return False


@contextmanager
def running(folder: Path, place: Place, distribution: Distribution) -> Iterator[MilvusServer]:
    """A running server, gone afterwards."""
    server = MilvusServer(folder, place, distribution)
    try:
        server.start()
        yield server
    finally:
        server.stop()
