"""A Milvus cluster: a server, what it keeps in etcd and S3, and how our worker is led to it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import Message

from formats.keys import MetaKeys
from formats.wire import decode
from samples.milvus.client import Client, connected
from samples.milvus.configuration import Place
from samples.milvus.distribution import Distribution
from samples.milvus.server import MilvusServer, running
from stores.etcd import Etcd3Client

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

M = TypeVar("M", bound=Message)

DISTRIBUTION = Distribution(Path(__file__).parents[2] / ".venv-milvus")
"""Made by `make test-milvus`."""


@dataclass(frozen=True)
class Cluster:
    """A running Milvus with a client of its time."""

    server: MilvusServer
    client: Client
    s3: "S3Client"
    etcd: Etcd3Client

    @property
    def place(self) -> Place:
        return self.server.place

    @property
    def keys(self) -> MetaKeys:
        return MetaKeys(self.place.etcd_root, "meta")

    def records(self, kind: type[M], prefix: str) -> dict[str, M]:
        """Every record below a prefix of etcd, read as this kind."""
        found = ((key.key.decode(), value) for value, key in self.etcd.get_prefix(prefix))
        return {key: decode(kind, value, key) for key, value in found}

    def objects(self, prefix: str = "") -> dict[str, int]:
        """The size of every object below a prefix of the root path, by its key below that path."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.place.bucket, Prefix=f"{self.place.root}/{prefix}"
        )
        found = (entry for page in pages for entry in page.get("Contents", []))
        return {entry["Key"].removeprefix(f"{self.place.root}/"): entry["Size"] for entry in found}

    def settings(self) -> Mapping[str, str]:
        """The environment that leads a worker's default profile here."""
        return self.server.settings()


@contextmanager
def cluster(place: Place, s3: "S3Client", folder: Path) -> Iterator[Cluster]:
    """A running cluster in a bucket that exists, gone afterwards."""
    with (
        Etcd3Client([place.etcd]) as etcd,
        running(folder / "milvus", place, DISTRIBUTION) as server,
        connected(server.address, folder / "pymilvus.log", DISTRIBUTION) as client,
    ):
        yield Cluster(server, client, s3, etcd)
