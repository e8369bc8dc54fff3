"""The configuration of a Milvus server: the wheel's own, with its holes filled, and our wishes above it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PORTS: Final = (
    "proxy",
    "proxy_internal",
    "root_coord",
    "query_coord",
    "query_node",
    "index_coord",
    "index_node",
    "data_coord",
    "data_node",
)
# They would listen on the machine's first address to the outside.
_COMPONENTS: Final = ("rootCoord", "proxy", "queryCoord", "queryNode", "indexNode", "dataCoord", "dataNode")
_ALWAYS: Final = {
    "etcd.use.embed": "false",
    "minio.useSSL": "false",
    "common.storageType": "minio",
    # Several files for one index of a few megabytes, as a large one has them.
    "common.indexSliceSize": "1",
    "common.gracefulStopTimeout": "2",
    "common.session.ttl": "5",
    # Which segments there are is for the caller to say.
    "dataCoord.compaction.enableAutoCompaction": "false",
    # Seconds; each of its steps waits for the next look.
    "dataCoord.compaction.check.interval": "1",
    "indexNode.scheduler.buildParallel": "2",
    # Each strongly consistent answer waits for the next tick.
    "proxy.timeTickInterval": "50",
}
_HOLE: Final = re.compile(r"\{\{\s*(?P<name>\w+)(?:\(\w+\))?\s*(?::\s*(?P<default>.*?))?\s*\}\}")


@dataclass(frozen=True)
class Place:
    """Where a Milvus keeps what it knows: an etcd and a bucket, with a root path in each."""

    etcd: str
    etcd_root: str
    s3: str
    access_key: str
    secret_key: str
    bucket: str
    root: str = "files"


@dataclass(frozen=True)
class GarbageCollection:
    """Seconds between its rounds, and how long it leaves objects alone that no record names."""

    interval: int = 3600
    missing_tolerance: int = 3600


@dataclass(frozen=True)
class Configuration:
    """What a server is to be."""

    place: Place
    ports: Mapping[str, int]
    collection: GarbageCollection = field(default_factory=GarbageCollection)

    def write(self, wheel: Path, folder: Path) -> None:
        """Have the files that the server reads at its start below `folder`, its working directory.

        `wheel` is the folder with the wheel's template.
        """
        configs = folder / "configs"
        for each in (configs, folder / "logs"):
            each.mkdir(parents=True, exist_ok=True)
        template = (wheel / "config.yaml.template").read_text()
        (configs / "milvus.yaml").write_text(_filled(template, folder, self.ports))
        # Without this file the server ends at once, saying only: unexpected signal.
        (configs / "glog.conf").write_text((wheel / "glog.conf").read_text())

    def environment(self) -> dict[str, str]:
        """Return our wishes as environment variables, which win over the file."""
        wishes = _ALWAYS | {f"{component}.ip": "127.0.0.1" for component in _COMPONENTS} | self._wishes()
        return {name.replace(".", "_").upper(): wish for name, wish in wishes.items()}

    def _wishes(self) -> dict[str, str]:
        host, _, port = self.place.s3.rpartition("://")[2].rpartition(":")
        return {
            "etcd.endpoints": self.place.etcd,
            "etcd.rootPath": self.place.etcd_root,
            "minio.address": host,
            "minio.port": port,
            "minio.accessKeyID": self.place.access_key,
            "minio.secretAccessKey": self.place.secret_key,
            "minio.bucketName": self.place.bucket,
            "minio.rootPath": self.place.root,
            "dataCoord.gc.interval": str(self.collection.interval),
            "dataCoord.gc.missingTolerance": str(self.collection.missing_tolerance),
        }


def _filled(template: str, folder: Path, ports: Mapping[str, int]) -> str:
    known = {f"{name}_port": str(port) for name, port in ports.items()}
    known |= {
        "etcd_data_dir": str(folder / "etcd"),
        "local_storage_dir": str(folder / "local"),
        "rocksmq_data_dir": str(folder / "rocksmq"),
        "system_log_path": "",  # no log file beside what it prints
    }

    def fill(hole: re.Match[str]) -> str:
        return known.get(hole["name"], hole["default"] or "")

    return _HOLE.sub(fill, template)
