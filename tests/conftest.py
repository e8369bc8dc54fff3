"""The real servers that tests run against: one local stack for each pytest process."""

import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from starter.stack import Stack

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running Temporal, etcd and S3 server, shared by all tests of this process."""
    running = Stack(tmp_path_factory.mktemp("stack"))
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
    for page in s3_client.get_paginator("list_objects_v2").paginate(Bucket=name):
        for entry in page.get("Contents", []):
            s3_client.delete_object(Bucket=name, Key=entry["Key"])
    s3_client.delete_bucket(Bucket=name)


@pytest.fixture
def etcd_root() -> str:
    """A root path below which no other test writes."""
    return f"t-{secrets.token_hex(6)}"
