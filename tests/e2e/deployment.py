"""A Milvus deployment of a test's own: a bucket, a root path in it, and a root in etcd."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from google.protobuf.message import Message

from samples.catalog import collection_records, source_records, target_collection
from samples.proof import Proof, prove
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, write_sample
from stores.etcd import Etcd3Client
from tests.e2e.image import Image

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class Deployment:
    """Beside others in the same servers, to which `servers` leads with the contract's variables."""

    def __init__(
        self, servers: Mapping[str, str], s3: "S3Client", etcd: Etcd3Client, *, root: str, sub_path: str
    ) -> None:
        self.s3 = s3
        self.bucket = new_bucket(s3)
        self.root = root
        self.etcd_root = f"etcd-{secrets.token_hex(6)}"
        self.sub_path = sub_path
        self.secret = servers["AWS_SECRET_ACCESS_KEY"]
        self._servers = servers
        self._etcd = etcd

    @property
    def settings(self) -> dict[str, str]:
        """The environment that leads a worker's default profile here."""
        return {
            **self._servers,
            "RESTORE_S3_BUCKET": self.bucket,
            "RESTORE_S3_ROOT_PATH": self.root,
            "RESTORE_ETCD_ROOT_PATH": self.etcd_root,
            "RESTORE_ETCD_META_SUB_PATH": self.sub_path,
        }

    @property
    def meta(self) -> str:
        """Where Milvus's own records lie."""
        return f"{self.etcd_root}/{self.sub_path}"

    def sample(self, shape: SampleShape) -> WrittenSample:
        """A collection's snapshot and objects in the bucket, its records in etcd."""
        written = write_sample(self.s3, self.bucket, shape)
        self.put(source_records(written, self.meta))
        return written

    def target(self, shape: SampleShape, name: str, database: str = "default") -> int:
        """The id of a new, empty collection of this shape."""
        catalog = target_collection(shape, collection=name, database=database)
        self.put(collection_records(catalog, self.meta))
        return catalog.collection_id

    def put(self, records: Mapping[str, Message]) -> None:
        for key, message in records.items():
            self._etcd.put(key, message.SerializeToString(deterministic=True))

    def write(self, key: str, value: bytes | None) -> None:
        """Have this value at a key of etcd, or none."""
        if value is None:
            self._etcd.delete(key)
        else:
            self._etcd.put(key, value)

    def scan(self, prefix: str) -> list[tuple[str, bytes]]:
        return [(found.key.decode(), value) for value, found in self._etcd.get_prefix(prefix)]

    def image(self) -> Image:
        """All that is here now."""
        return Image(
            objects=listed(self.s3, self.bucket),
            uploads=frozenset(
                each["Key"] for each in self.s3.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])
            ),
            records=dict(self.scan(f"{self.etcd_root}/")),
        )

    def prove(self, written: WrittenSample, before: Image, collection: int) -> Proof:
        """Compare every object and record with what the snapshot asks for."""
        records = {key: value for key, value in before.records.items() if key.startswith(f"{self.meta}/")}
        return prove(
            self.s3,
            self.scan,
            written,
            records,
            collection_id=collection,
            bucket=self.bucket,
            root=self.root,
            meta=self.meta,
        )


def new_bucket(s3: "S3Client") -> str:
    """An empty bucket; it goes with the servers."""
    name = f"e2e-{secrets.token_hex(6)}"
    s3.create_bucket(Bucket=name)
    return name


def listed(s3: "S3Client", bucket: str) -> dict[str, str]:
    """Size and ETag of every object by key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {
        entry["Key"]: f"{entry['Size']} {entry['ETag']}"
        for page in pages
        for entry in page.get("Contents", [])
    }


@contextmanager
def deployed(
    servers: Mapping[str, str], *, root: str = "files", sub_path: str = "meta"
) -> Iterator[Deployment]:
    """A deployment with connections of its own."""
    s3 = boto3.client(
        "s3",
        endpoint_url=servers["RESTORE_S3_ENDPOINT"],
        region_name=servers["RESTORE_S3_REGION"],
        aws_access_key_id=servers["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=servers["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=16),
    )
    with Etcd3Client(servers["RESTORE_ETCD_ENDPOINTS"].split(",")) as etcd:
        yield Deployment(servers, s3, etcd, root=root, sub_path=sub_path)
    s3.close()
