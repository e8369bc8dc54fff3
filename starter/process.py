"""A process that we started, and only that one.

A pid alone is no identity: the kernel gives it to somebody else in time. The pid together with the
process's start time and the machine's boot is one, and it survives in a file.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from formats.model import Model

POLL = 0.02  # seconds

# Children of this very process, polled so that an ended one does not stay a zombie.
_children: dict[int, subprocess.Popen[bytes]] = {}


class Process(Model):
    """A started process: `started` in clock ticks since `boot`, a boot's id."""

    pid: int
    started: int
    boot: str

    @property
    def alive(self) -> bool:
        """True while a thread of this very process runs; a zombie, or a later owner of the pid, is none."""
        if self.pid in _children:
            _children[self.pid].poll()
        return self.boot == _boot() and _start_time(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Signal the process group, if it is still the one that we started."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    def listens_on(self, port: int) -> bool:
        """True when this process holds the listening TCP socket of a port of 127.0.0.1."""
        wanted = f"socket:[{_listener(port)}]"
        return any(_target(fd) == wanted for fd in _descriptors(self.pid))


def spawn(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Process:
    """Start a command in `folder` as leader of a session of its own, its output appended to `log`."""
    with log.open("ab") as output:
        child = subprocess.Popen(  # noqa: S603 - the command is one of servers.py
            command,
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    # Until it is polled, an ended child stays readable as a zombie, so its start time is there.
    return Process(pid=child.pid, started=_stat(child.pid)[2], boot=_boot())


def end(processes: Sequence[Process], patience: float) -> None:
    """Leave none of the process groups running: SIGTERM, and SIGKILL after `patience` seconds.

    Takes at most twice that. A pid that has another owner by now is not touched.
    """
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            process.send(number)
        deadline = time.monotonic() + patience
        while any(process.alive for process in processes) and time.monotonic() < deadline:
            time.sleep(POLL)


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_time(pid: int) -> int | None:
    try:
        state, threads, started = _stat(pid)
    except (FileNotFoundError, ProcessLookupError):
        return None
    # A killed process shows its first thread as a zombie while the others still hold its ports.
    return None if state in "ZX" and threads <= 1 else started


def _stat(pid: int) -> tuple[str, int, int]:
    """Return state, number of threads and start time; fields 3, 20 and 22 of proc(5), the name left out."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return fields[0], int(fields[17]), int(fields[19])


def _listener(port: int) -> str | None:
    """Return the inode of the socket that listens on 127.0.0.1 (or every address) at a port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == "0A" and fields[1] in (f"0100007F:{port:04X}", f"00000000:{port:04X}"):
            return fields[9]
    return None


def _descriptors(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/fd").iterdir())
    except (FileNotFoundError, PermissionError, ProcessLookupError):
        return []


def _target(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # closed in the meantime
        return ""
