"""Our worker and our command line, led to a real Milvus."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e.commands import Commands
from tests.e2e.worker_process import working
from tests.real_milvus.cluster import Cluster


@dataclass(frozen=True)
class Desk:
    """Where restores are asked for."""

    commands: Commands
    environment: Mapping[str, str]

    def restore(self, snapshot: str, target: str, *more: str) -> dict[str, Any]:
        """Restore with the command line, and return the result."""
        return self._result("start", snapshot, target, *more)

    def take_snapshot(self, collection: str, name: str, *more: str) -> dict[str, Any]:
        """Take a snapshot with the command line, and return the result."""
        return self._result("snapshot", "create", collection, name, *more)

    def _result(self, *words: str) -> dict[str, Any]:
        done = self.commands.restore(*words, "-o", "json", more=self.environment)
        assert done.code == 0, f"{done.out}\n{done.err}"
        result = done.json["result"]
        assert isinstance(result, dict)
        return result


def profile(name: str, cluster: Cluster) -> str:
    """A settings file with a profile that leads to a cluster's etcd and bucket, not to its Milvus."""
    place = cluster.place
    return f"""
[profiles.{name}.s3]
endpoint = "{place.s3}"
bucket = "{place.bucket}"
root_path = "{place.root}"
access_key_env = "AWS_ACCESS_KEY_ID"
secret_key_env = "AWS_SECRET_ACCESS_KEY"

[profiles.{name}.etcd]
endpoints = "{place.etcd}"
root_path = "{place.etcd_root}"
"""


@contextmanager
def opened(environment: Mapping[str, str], temporal: str, folder: Path) -> Iterator[Desk]:
    """A worker in this environment, gone afterwards."""
    queue = f"q-{secrets.token_hex(6)}"
    folder.mkdir(parents=True, exist_ok=True)
    whole = {**environment, "TEMPORAL_ADDRESS": temporal, "RESTORE_TASK_QUEUE": queue}
    with working(whole, folder / "worker.log"):
        yield Desk(Commands(temporal, queue, folder), whole)
