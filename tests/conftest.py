"""The real servers that tests run against: one local stack for each pytest process."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from hypothesis import settings

from starter.stack import Stack

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef


# A shared machine may stop for longer than any example takes; pytest's own timeout ends what hangs.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """A running Temporal, etcd and S3 server, shared by all tests of this process and gone with it."""
    with TemporaryDirectory(prefix="milvus-restore-tests-") as folder:
        running = Stack(Path(folder), bound=True)
        try:
            running.up()
            yield running
        finally:
            running.down()


@pytest.fixture(scope="session")
def s3_client(stack: Stack) -> "Iterator[S3Client]":
    """A plain client, for reading and preparing the world; the product's own client is under test."""
    settings = stack.settings()
    client = boto3.client(
        "s3",
        endpoint_url=settings["RESTORE_S3_ENDPOINT"],
        region_name=settings["RESTORE_S3_REGION"],
        aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
        config=Config(s3={"addressing_style": "path"}, max_pool_connections=32),
    )
    yield client
    client.close()


@pytest.fixture(scope="session")
def etcd_endpoint(stack: Stack) -> str:
    """The etcd's `host:port`."""
    return stack.server("etcd").address


@pytest.fixture(scope="session")
def temporal_address(stack: Stack) -> str:
    """The Temporal frontend's `host:port`; namespace `default`, with the contract's search attributes."""
    return stack.server("temporal").address


@pytest.fixture
def bucket(s3_client: "S3Client") -> Iterator[str]:
    """An empty bucket of this test's own."""
    name = f"b-{secrets.token_hex(6)}"
    s3_client.create_bucket(Bucket=name)
    yield name
    _empty(s3_client, name)
    s3_client.delete_bucket(Bucket=name)


def _empty(client: "S3Client", bucket: str) -> None:
    for upload in client.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        objects: list[ObjectIdentifierTypeDef] = [{"Key": entry["Key"]} for entry in page.get("Contents", [])]
        if objects:
            client.delete_objects(Bucket=bucket, Delete={"Objects": objects})


@pytest.fixture
def etcd_root() -> str:
    """A root path below which no other test writes."""
    return f"t-{secrets.token_hex(6)}"
