"""The local stack: Temporal, etcd and an S3 server as child processes, with all of theirs in one folder."""

import fcntl
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from starter import port, state
from starter.health import answers
from starter.process import POLL, Process, end, spawn
from starter.servers import SERVERS, LocalServerFailed, Server
from starter.state import ServerState, State

_ATTEMPTS = 5  # a free port is taken by another between choice and use perhaps once in a thousand starts
_LOG_LINES = 15
_BOUND = ("setpriv", "--pdeathsig", "TERM", "--")  # of util-linux; it replaces itself by the command


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """A server as it is now. `pid` is None when it is not running; `healthy` when it answers as ours."""

    name: str
    address: str
    pid: int | None
    healthy: bool


class Stack:
    """The servers whose data, logs, ports and pids lie in `folder`.

    Only what this folder's state file names, by pid and start time, is ever signalled. `deadline` is the
    time that a server has to become healthy, `patience` the time it has to end after SIGTERM; in seconds.
    The servers outlive the caller, unless they are `bound`: then they end with the thread that started them.
    """

    def __init__(
        self, folder: Path, *, deadline: float = 60.0, patience: float = 15.0, bound: bool = False
    ) -> None:
        self.folder = folder.resolve()
        self.deadline = deadline
        self.patience = patience
        self.bound = bound
        self._file = self.folder / "stack.json"

    def up(self, *, temporal: bool = True, etcd: bool = True, s3: bool = True) -> None:
        """Have the wanted servers running and healthy, on the ports and data of last time.

        Starts only what is dead. Raises LocalServerFailed with the server's last log lines; what this call
        started is ended then.
        """
        wanted = [name for name, on in {"temporal": temporal, "etcd": etcd, "s3": s3}.items() if on]
        with self._alone():
            dead = [name for name in wanted if not self._alive(name)]
            try:
                for name in dead:
                    self._start(name)
                for name in wanted:
                    self._see_through(name)
            except BaseException:
                self._end(dead)
                raise

    def status(self) -> list[ServerStatus]:
        """Return every server that this folder has known, running or not."""
        known = self._state().servers
        return [self._status(name) for name in SERVERS if name in known]

    def down(self) -> None:
        """Leave none of the servers running and no port open; data and port numbers stay."""
        if not self._file.exists():
            return
        with self._alone():
            self._end(list(self._state().servers))

    def settings(self) -> dict[str, str]:
        """Return the environment variables that lead the worker and the command line to this stack."""
        servers = [self.server(name) for name in self._state().servers]
        return {key: value for server in servers for key, value in server.settings().items()}

    def server(self, name: str) -> Server:
        """Return a server that this folder has known."""
        known = self._state()
        keys = {"access_key": known.access_key, "secret_key": known.secret_key}
        return SERVERS[name](folder=self.folder / name, ports=known.servers[name].ports, **keys)

    def _status(self, name: str) -> ServerStatus:
        process = self._state().servers[name].process
        server = self.server(name)
        alive = process is not None and process.alive
        healthy = alive and process is not None and answers(server, process)
        return ServerStatus(name, server.address, process.pid if alive and process else None, healthy)

    def _start(self, name: str) -> None:
        """Spawn a server on its old ports where they are free, else on new ones, and write that down."""
        old = self._state().servers.get(name)
        kept = old is not None and all(map(port.is_free, old.ports.values()))
        ports = old.ports if old and kept else port.pick(SERVERS[name].port_names)
        self._remember(name, ServerState(ports=ports))
        server = self.server(name)
        server.prepare()
        server.log.write_bytes(b"")
        self._remember(name, ServerState(ports=ports, process=self._spawn(server)))

    def _spawn(self, server: Server) -> Process:
        command = [*(_BOUND if self.bound else ()), *server.command()]
        try:
            return spawn(command, server.folder, server.environment(), server.log)
        except OSError as error:
            raise LocalServerFailed(f"{server.name} cannot be run: {error}") from error

    def _see_through(self, name: str) -> None:
        """Return when the server is healthy; start it again elsewhere while somebody took its port."""
        for _ in range(_ATTEMPTS):
            problem = self._await_health(name)
            if problem is None:
                return
            if self._alive(name) or self._ports_are_free(name):
                break
            self._start(name)
        log = self.server(name).log
        raise LocalServerFailed(f"{name} {problem}; the end of {log}:\n{_last_lines(log)}")

    def _await_health(self, name: str) -> str | None:
        """Return None once the server is healthy, else what is wrong with it."""
        process, server = self._state().servers[name].process, self.server(name)
        deadline = time.monotonic() + self.deadline
        while process is not None and process.alive:
            if answers(server, process):
                return None
            if time.monotonic() > deadline:
                return f"did not become healthy at {server.address} within {self.deadline:g} s"
            time.sleep(POLL)
        return "ended while it was starting"

    def _end(self, names: Sequence[str]) -> None:
        known = {name: server for name, server in self._state().servers.items() if name in names}
        end([server.process for server in known.values() if server.process], self.patience)
        for name in known:
            self._forget(name)

    def _forget(self, name: str) -> None:
        """Write down that a server has ended; LocalServerFailed when it has not."""
        server = self._state().servers[name]
        if server.process and server.process.alive:
            raise LocalServerFailed(
                f"{name} (pid {server.process.pid}) is still there after SIGKILL; try again later"
            )
        for path in self.server(name).litter():
            path.unlink(missing_ok=True)
        self._remember(name, ServerState(ports=server.ports))

    def _alive(self, name: str) -> bool:
        known = self._state().servers.get(name)
        return known is not None and known.process is not None and known.process.alive

    def _ports_are_free(self, name: str) -> bool:
        return all(map(port.is_free, self._state().servers[name].ports.values()))

    def _state(self) -> State:
        return state.load(self._file)

    def _remember(self, name: str, server: ServerState) -> None:
        state.save(self._file, self._state().having(name, server))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes out of this folder: they wait their turn."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _last_lines(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
    return "\n".join(f"  {line}" for line in lines)
