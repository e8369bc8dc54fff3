"""A bucket in a dict behind the few calls of an S3 client that the sample makes."""

# ruff: noqa: N803 - argument names are boto3's

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class NoSuchKey(Exception):
    """What a client raises for an absent object."""


class BucketTwin:
    """Objects by key, in the order they were put."""

    class exceptions:  # noqa: N801 - boto3's own spelling
        """The errors of the client."""

        NoSuchKey = NoSuchKey

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    @property
    def client(self) -> "S3Client":
        """The twin as what it stands for."""
        return cast("S3Client", self)

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:
        self.objects[Key] = Body

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise NoSuchKey(Key)
        return {"Body": BytesIO(self.objects[Key])}

    def get_paginator(self, operation: str) -> "BucketTwin":
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        keys = sorted(key for key in self.objects if key.startswith(Prefix))
        middle = len(keys) // 2
        for page in (keys[:middle], keys[middle:]):
            yield {"Contents": [{"Key": key} for key in page]} if page else {}
