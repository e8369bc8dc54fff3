"""Object stores of three kinds, each with a way to look at its world past the store under test."""

import os
import secrets
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from starter import port
from starter.process import POLL, end, spawn
from stores.memory_objects import MemoryObjectStore
from stores.parts import MIB, PartRule
from stores.ports import Location, ObjectStat, ObjectStore
from stores.retry import Retry
from stores.s3 import S3ObjectStore
from stores.s3_connection import Access

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

LARGE = os.urandom(16 * MIB)  # three parts

# S3's smallest part, so that parts are copied without large objects.
SMALL_PARTS = PartRule(threshold=5 * MIB, size=5 * MIB)
QUICK = Retry(budget=3.0, first_wait=0.01, longest_wait=0.1)


class World(ABC):
    """A running object store with two empty buckets. `misses` are its known differences from S3, and why."""

    name: str
    store: ObjectStore
    misses: dict[str, str]

    def __init__(self) -> None:
        self.bucket, self.other = (f"b-{secrets.token_hex(6)}" for _ in range(2))

    def at(self, key: str) -> Location:
        """Return a place in the first bucket."""
        return Location(self.bucket, key)

    def beside(self, key: str) -> Location:
        """Return a place in the other bucket."""
        return Location(self.other, key)

    def listed(self, at: Location) -> ObjectStat:
        """Return what the store says of an object that exists."""
        stat = self.store.stat(at)
        assert stat is not None
        return stat

    def stored(self, at: Location, body: bytes) -> ObjectStat:
        """Put an object, and return what the store says of it."""
        self.store.put(at, body)
        return self.listed(at)

    def expect_miss(self, what: str, request: pytest.FixtureRequest) -> None:
        """Hold the server to a declared miss: the day it is gone, the test says so."""
        if what in self.misses:
            request.applymarker(pytest.mark.xfail(reason=self.misses[what], strict=True))

    @abstractmethod
    def second_profile(self) -> ObjectStore:
        """Return another store of the same endpoint."""

    @abstractmethod
    def content(self) -> dict[str, bytes]:
        """Return all objects of both buckets by URI."""

    @abstractmethod
    def begin_upload(self, at: Location) -> None:
        """Leave an unfinished multipart upload."""

    @abstractmethod
    def unfinished(self) -> list[str]:
        """Return the keys of the unfinished uploads of both buckets."""


class MemoryWorld(World):
    """The twin."""

    name = "memory"

    def __init__(self) -> None:
        super().__init__()
        endpoint = f"memory://{secrets.token_hex(4)}"
        self.twin = MemoryObjectStore(self.bucket, self.other, endpoint=endpoint, rule=SMALL_PARTS)
        self.store = self.twin
        self.misses = {}

    def second_profile(self) -> ObjectStore:
        return MemoryObjectStore(profile="second", beside=self.twin, rule=SMALL_PARTS)

    def content(self) -> dict[str, bytes]:
        places = [
            Location(bucket, stat.key)
            for bucket in (self.bucket, self.other)
            for stat in self.twin.scan(bucket, "")
        ]
        return {str(at): self.twin.get(at) for at in places}

    def begin_upload(self, at: Location) -> None:
        self.twin.begin_upload(at)

    def unfinished(self) -> list[str]:
        return [at.key for at in self.twin._server.uploads.values()]


class S3World(World):
    """A server that speaks S3."""

    def __init__(self, name: str, access: Access, misses: dict[str, str]) -> None:
        super().__init__()
        self.name, self.access, self.misses = name, access, misses
        self.s3 = S3ObjectStore(access, retry=QUICK, rule=SMALL_PARTS)
        self.store = self.s3
        self.client = plain_client(access)
        for bucket in (self.bucket, self.other):
            self.client.create_bucket(Bucket=bucket)

    def close(self) -> None:
        """Leave neither buckets nor sockets."""
        for bucket in (self.bucket, self.other):
            self._empty(bucket)
            self.client.delete_bucket(Bucket=bucket)
        self.client.close()
        self.s3.close()

    def second_profile(self) -> ObjectStore:
        return S3ObjectStore(self.access, retry=QUICK, rule=SMALL_PARTS)

    def content(self) -> dict[str, bytes]:
        places = [(bucket, key) for bucket in (self.bucket, self.other) for key in self._keys(bucket)]
        with ThreadPoolExecutor(8) as threads:
            return dict(threads.map(self._object, places))

    def begin_upload(self, at: Location) -> None:
        self.client.create_multipart_upload(Bucket=at.bucket, Key=at.key)

    def unfinished(self) -> list[str]:
        pages = [self.client.list_multipart_uploads(Bucket=bucket) for bucket in (self.bucket, self.other)]
        return [upload["Key"] for page in pages for upload in page.get("Uploads", [])]

    def _object(self, place: tuple[str, str]) -> tuple[str, bytes]:
        bucket, key = place
        answer = self.client.get_object(Bucket=bucket, Key=key)
        return str(Location(bucket, key)), answer["Body"].read()

    def _keys(self, bucket: str) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _empty(self, bucket: str) -> None:
        for upload in self.client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            self.client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        for key in self._keys(bucket):
            self.client.delete_object(Bucket=bucket, Key=key)


def plain_client(access: Access) -> "S3Client":
    """Return a client with the SDK's own settings: the store's is under test."""
    keys: dict[str, Any] = {
        "aws_access_key_id": access.access_key,
        "aws_secret_access_key": access.secret_key,
        "config": Config(s3={"addressing_style": "path"}, max_pool_connections=16),
    }
    return boto3.client("s3", endpoint_url=access.endpoint, region_name=access.region, **keys)


@contextmanager
def ministack(folder: Path) -> Iterator[Access]:
    """Run ministack with its data in a folder, and end it afterwards."""
    number = port.pick(["s3"])["s3"]
    program = Path(sys.executable).with_name("ministack")
    process = spawn([str(program)], folder, _ministack_settings(folder, number), folder / "server.log")
    try:
        deadline = time.monotonic() + 30
        while not process.listens_on(number):
            assert process.alive, (folder / "server.log").read_text()
            assert time.monotonic() < deadline, "ministack does not listen"
            time.sleep(POLL)
        yield Access(
            "default", f"http://127.0.0.1:{number}", "us-east-1", "ministack-key", "ministack-secret"
        )
    finally:
        end([process], patience=10)


def _ministack_settings(folder: Path, number: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(number),
        "SERVICES": "s3",
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
        "TMPDIR": str(folder),
        "AUTH": "true",
        "AWS_ACCESS_KEY_ID": "ministack-key",
        "AWS_SECRET_ACCESS_KEY": "ministack-secret",
    }
