"""An etcd of a test's own: killed, restarted, with users or TLS, and ended with the test."""

import os
import socket
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from starter.port import pick
from stores.etcd import Etcd3Client
from stores.metadata import EtcdMetadataStore
from stores.ports import Record

_SCRIPTS = Path(sysconfig.get_path("scripts"))
_PATIENCE = 30.0


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Return once the condition holds; fail after 30 s."""
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"not within {_PATIENCE} s: {what}"
        time.sleep(0.01)  # between two looks at the condition


class EtcdServer:
    """One member on 127.0.0.1; its data and port survive a kill. `member` is its name and peer address."""

    def __init__(
        self, folder: Path, *flags: str, scheme: str = "http", ctl: Sequence[str] = (), name: str = "e"
    ) -> None:
        ports = pick(("client", "peer"))
        self.port = ports["client"]
        self.address = f"127.0.0.1:{self.port}"
        self.log = folder / "etcd.log"
        self._ctl = ["--endpoints", f"{scheme}://{self.address}", *ctl]
        client, peer = f"{scheme}://{self.address}", f"http://127.0.0.1:{ports['peer']}"
        self.member = f"{name}={peer}"
        self._command = [
            str(_SCRIPTS / "etcd"),
            *("--name", name, "--data-dir", str(folder / "etcd")),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", self.member, "--unsafe-no-fsync", *flags),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def join(self, members: str) -> None:
        """Be one of several from the first start on; of a flag given twice, etcd takes the last."""
        self._command += ["--initial-cluster", members]

    def start(self) -> None:
        """Run it; return when it listens."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        eventually(self._listens, f"etcd listens on {self.address}, see {self.log}")

    def kill(self) -> None:
        """End it with SIGKILL; return when it is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def ctl(self, *words: str) -> str:
        """Return what etcdctl prints."""
        command = [str(_SCRIPTS / "etcdctl"), *self._ctl, *words]
        environment = {"ETCDCTL_API": "3", "PATH": os.environ["PATH"]}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def logged(self, text: str) -> int:
        """Return how often its log holds a text."""
        return self.log.read_text(errors="replace").count(text)

    def _listens(self) -> bool:
        assert self._process
        assert self._process.poll() is None, self.log.read_text(errors="replace")[-2_000:]
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


@contextmanager
def running(server: EtcdServer) -> Iterator[EtcdServer]:
    """A started server, gone afterwards."""
    try:
        server.start()
        yield server
    finally:
        server.kill()


def enable_users(server: EtcdServer) -> None:
    """Ask for a password from now on: `root` may all, `limited` may only touch what begins with `mine/`."""
    server.ctl("user", "add", "root:root-secret")
    server.ctl("user", "grant-role", "root", "root")
    server.ctl("role", "add", "mine")
    server.ctl("role", "grant-permission", "mine", "--prefix=true", "readwrite", "mine/")
    server.ctl("user", "add", "limited:limited-secret")
    server.ctl("user", "grant-role", "limited", "mine")
    server.ctl("auth", "enable")


@contextmanager
def connected(*endpoints: str, timeout: float = 4.0, patience: float = 10.0) -> Iterator[EtcdMetadataStore]:
    """A store with a patience of its own, closed afterwards."""
    client = Etcd3Client(endpoints, timeout=timeout, patience=patience)
    store = EtcdMetadataStore("default", client, endpoints)
    yield store
    store.close()


def found(store: EtcdMetadataStore, key: str) -> Record:
    """Return a record that must be there."""
    record = store.get(key)
    assert record is not None
    return record


def version(server: EtcdServer, key: str) -> int:
    """Return how often a key was written since its creation, 0 when it is absent."""
    with Etcd3Client([server.address]) as client:
        metadata = client.get(key)[1]
    return metadata.version if metadata else 0
