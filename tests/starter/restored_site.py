"""A deployment in the shared servers into which a sample was restored, and ways to change what is there."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from samples.snapshot import WrittenSample
from tests.e2e.deployment import Deployment
from tests.starter.command_line import CommandLine, Ended


@dataclass(frozen=True)
class RestoredSite:
    """A completed restore; what a test changes, it changes back."""

    deployment: Deployment
    cli: CommandLine
    written: WrittenSample
    collection: int
    certificate: str

    async def verify(self, *words: str) -> Ended:
        return await self.cli.run("verify", self.certificate, *words)

    async def found(self, *words: str) -> tuple[int, dict[str, tuple[str, str]]]:
        """The exit code, and verdict and reason by name."""
        ended = await self.verify("-o", "json", *words)
        report = json.loads(ended.out)
        return ended.code, {each["name"]: (each["verdict"], each["reason"]) for each in report["findings"]}

    # Objects.

    def objects(self, part: str) -> list[str]:
        """The keys of restored objects with this text in them."""
        pages = self.deployment.s3.get_paginator("list_objects_v2").paginate(Bucket=self.deployment.bucket)
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return [key for key in keys if key not in self.written.digests and part in key]

    def body(self, key: str) -> bytes:
        return self.deployment.s3.get_object(Bucket=self.deployment.bucket, Key=key)["Body"].read()

    @contextmanager
    def stored(self, key: str, body: bytes | None) -> Iterator[None]:
        """Have another body at a key for a while, or nothing."""
        s3, bucket, whole = self.deployment.s3, self.deployment.bucket, self.body(key)
        if body is None:
            s3.delete_object(Bucket=bucket, Key=key)
        else:
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        try:
            yield
        finally:
            s3.put_object(Bucket=bucket, Key=key, Body=whole)

    # Records.

    def records(self, folder: str) -> dict[str, bytes]:
        """The restored collection's records of a kind, such as `datacoord-meta/s`, by key."""
        return dict(self.deployment.scan(f"{self.deployment.meta}/{folder}/{self.collection}/"))

    @contextmanager
    def recorded(self, key: str, value: bytes | None) -> Iterator[None]:
        """Have another value at a key for a while, or nothing."""
        before = dict(self.deployment.scan(key)).get(key)
        self.deployment.write(key, value)
        try:
            yield
        finally:
            self.deployment.write(key, before)

    @contextmanager
    def message(self, kind: type[Message], key: str, change: Callable[[Any], object]) -> Iterator[None]:
        """Have a record changed for a while."""
        message = kind.FromString(dict(self.deployment.scan(key))[key])
        change(message)
        with self.recorded(key, message.SerializeToString(deterministic=True)):
            yield
