"""What logs become whose descriptors are rewritten: 24 bytes of each, from byte 21 on, and no other."""

import hashlib
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from samples.records import Placement

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_FIRST = 21
_READS = 8


def rewritten_logs(
    client: "S3Client", bucket: str, placed: Iterable[tuple[Placement, Mapping[str, str]]]
) -> dict[str, str]:
    """The SHA-256 that each insert and delta log must have in the target, by the source's key.

    `placed` has the source's keys of a segment's objects by the target's, and the ids of the place.
    """
    logs = [
        (source, at)
        for at, objects in placed
        for source in objects.values()
        if "insert_log/" in source or "delta_log/" in source
    ]

    def digest(log: tuple[str, Placement]) -> tuple[str, str]:
        source, at = log
        body = client.get_object(Bucket=bucket, Key=source)["Body"].read()
        ids = struct.pack("<qqq", at.collection, at.partition, at.segment)
        made = body[:_FIRST] + ids + body[_FIRST + len(ids) :]
        return source, hashlib.sha256(made).hexdigest()

    with ThreadPoolExecutor(_READS) as threads:
        return dict(threads.map(digest, logs))
