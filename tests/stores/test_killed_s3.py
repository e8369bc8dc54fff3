"""The local stack's S3 server gets SIGKILL in the middle of everything: what it has said stays true.

A restore counts on that much of any S3. Where a store breaks its word, the proof before publishing finds
the missing or other object, but after publishing only `verify` does.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from hashlib import md5
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from starter.stack import Stack
from tests.e2e.waiting import eventually
from tests.faults.outages import Outages

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

BUCKET, SOURCE = "a-bucket", b"source" * 10_000
PART = b"p" * 5 * 1024 * 1024
WRITERS = 8
ENOUGH = 40
"""Answers that a round waits for before the server is killed."""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An S3 server of this module's own."""
    running = Stack(tmp_path_factory.mktemp("s3"), bound=True)
    try:
        running.up(temporal=False, etcd=False)
        yield running
    finally:
        running.down()


@pytest.fixture
def s3(own: Stack) -> "Iterator[S3Client]":
    """A client that asks once; what it is not told, it does not count on."""
    settings = own.settings()
    client = boto3.client(
        "s3",
        endpoint_url=settings["RESTORE_S3_ENDPOINT"],
        region_name=settings["RESTORE_S3_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, max_pool_connections=WRITERS
        ),
    )
    yield client
    client.close()


class Writer:
    """Puts, copies, uploads in parts and deletes until the server is gone; remembers what it was told."""

    def __init__(self, s3: "S3Client", folder: str) -> None:
        self.there: dict[str, str] = {}
        self.gone: set[str] = set()
        self._s3 = s3
        self._folder = folder

    @property
    def answers(self) -> int:
        return len(self.there) + len(self.gone)

    def work(self) -> None:
        """Return when an answer fails to come."""
        number = 0
        while True:
            number += 1
            try:
                self._write(f"{self._folder}/{number}", number % 4)
            except (BotoCoreError, ClientError):
                return

    def _write(self, key: str, way: int) -> None:
        body = key.encode() * 1_000
        if way == 0:
            body = SOURCE
            self._s3.copy_object(Bucket=BUCKET, Key=key, CopySource={"Bucket": BUCKET, "Key": "source"})
        elif way == 1 and key.endswith("/1"):
            body = PART
            self._upload(key)
        else:
            self._s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        self.there[key] = md5(body, usedforsecurity=False).hexdigest()
        if way == 3:
            del self.there[key]  # until it is told again, neither is sure
            self._s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key}]})
            self.gone.add(key)

    def _upload(self, key: str) -> None:
        upload = self._s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        part = self._s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=1, Body=PART)
        self._s3.complete_multipart_upload(
            Bucket=BUCKET,
            Key=key,
            UploadId=upload,
            MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
        )


def content(s3: "S3Client", key: str) -> str | None:
    """The hash of an object, None when it is absent, once the server is ready to tell."""
    found: list[str | None] = []

    def told() -> bool:
        try:
            body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                return False
            found.append(None)
        else:
            found.append(md5(body, usedforsecurity=False).hexdigest())
        return True

    eventually(told, f"the server tells of {key}")
    return found[0]


def work_until_killed(writers: list[Writer], outages: Outages) -> None:
    with ThreadPoolExecutor(WRITERS) as pool:
        for each in writers:
            pool.submit(each.work)
        eventually(lambda: sum(each.answers for each in writers) > ENOUGH, "enough is written")
        outages.strike(["s3"], 0)


def test_what_it_acknowledged_is_there_and_what_it_deleted_is_not(own: Stack, s3: "S3Client") -> None:
    s3.put_object(Bucket=BUCKET, Key="source", Body=SOURCE)
    outages = Outages(own)
    for round_ in range(2):
        writers = [Writer(s3, f"{round_}/{number}") for number in range(WRITERS)]
        work_until_killed(writers, outages)
        outages.mend()

        there = {key: hashed for each in writers for key, hashed in each.there.items()}
        with ThreadPoolExecutor(WRITERS) as pool:
            assert dict(zip(there, pool.map(partial(content, s3), there), strict=True)) == there
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{round_}/")
        listed = {entry["Key"] for page in pages for entry in page.get("Contents", [])}
        assert there.keys() <= listed
        assert listed.isdisjoint(key for each in writers for key in each.gone)
