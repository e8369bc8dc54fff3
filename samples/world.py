"""What object storage and etcd hold, read plainly."""

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from google.protobuf.message import DecodeError, Message

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MessageT = TypeVar("MessageT", bound=Message)
Scan = Callable[[str], list[tuple[str, bytes]]]

READERS = 8
PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class World:
    """The destination as it is: every key below `root` in the bucket, every record below `meta`."""

    bucket: str
    root: str
    meta: str
    keys: frozenset[str]
    records: Mapping[str, bytes]

    def messages(
        self, prefix: str, kind: type[MessageT], *, ids: int
    ) -> Iterator[tuple[tuple[int, ...], MessageT]]:
        """The records under a prefix of the meta folder, each with the so many ids that end its key.

        Keys of other shapes and values that are no such message are left to the record's own check.
        """
        start = f"{self.meta}/{prefix}/"
        for key, value in self.records.items():
            match = re.fullmatch(rf"{re.escape(start)}(-?\d+(?:/-?\d+){{{ids - 1}}})", key)
            message = _parsed(kind, value) if match else None
            if match and message is not None:
                yield tuple(map(int, match[1].split("/"))), message

    def paths(self) -> Iterator[list[str]]:
        """The parts of every object's key after the root."""
        return (self.path(key).split("/") for key in self.keys)

    def path(self, key: str) -> str:
        """The part of a key after the root."""
        return key.removeprefix(f"{self.root}/") if self.root else key


def read_world(client: "S3Client", scan: Scan, *, bucket: str, root: str, meta: str) -> World:
    """The world at this moment, without the objects' contents."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{root}/" if root else "")
    keys = frozenset(entry["Key"] for page in pages for entry in page.get("Contents", []))
    return World(bucket, root, meta, keys, dict(scan(f"{meta}/")))


def digests(client: "S3Client", bucket: str, keys: Collection[str]) -> dict[str, str]:
    """The SHA-256 of each object that is there, read as a stream; absent ones are left out."""

    def digest(key: str) -> tuple[str, str | None]:
        try:
            body = client.get_object(Bucket=bucket, Key=key)["Body"]
        except client.exceptions.NoSuchKey:
            return key, None
        total = hashlib.sha256()
        while piece := body.read(PIECE):
            total.update(piece)
        return key, total.hexdigest()

    with ThreadPoolExecutor(READERS) as pool:
        return {key: found for key, found in pool.map(digest, keys) if found is not None}


def _parsed(kind: type[MessageT], value: bytes) -> MessageT | None:
    message = kind()
    try:
        message.ParseFromString(value)
    except DecodeError:
        return None
    return message
