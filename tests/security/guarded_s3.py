"""An S3 server behind HTTPS whose users may only do what their policy says."""

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from starter import port
from starter.process import POLL, end, spawn
from starter.servers import SeaweedFS

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PATIENCE = 30.0


@dataclass(frozen=True)
class GuardedS3:
    """The server and its administrator; `plain` is the endpoint without TLS, for a proxy."""

    endpoint: str
    plain: str
    ca: Path
    access_key: str
    secret_key: str

    def client(self, access_key: str = "", secret_key: str = "") -> "S3Client":
        """A client, by default the administrator's."""
        return boto3.client(
            "s3", config=Config(s3={"addressing_style": "path"}), **self._as(access_key, secret_key)
        )

    def admit(self, policy: dict[str, Any]) -> tuple[str, str]:
        """Make a user with this policy alone, and return the pair of keys."""
        name = f"u-{secrets.token_hex(6)}"
        iam = boto3.client("iam", **self._as("", ""))
        iam.create_user(UserName=name)
        arn = iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
        pair = iam.create_access_key(UserName=name)["AccessKey"]
        iam.close()
        return pair["AccessKeyId"], pair["SecretAccessKey"]

    def _as(self, access_key: str, secret_key: str) -> dict[str, Any]:
        return {
            "endpoint_url": self.endpoint,
            "region_name": "us-east-1",
            "verify": str(self.ca),
            "aws_access_key_id": access_key or self.access_key,
            "aws_secret_access_key": secret_key or self.secret_key,
        }


@contextmanager
def guarded_s3(folder: Path, certificates: Path) -> Iterator[GuardedS3]:
    """A running server, gone afterwards."""
    ports = port.pick([*SeaweedFS.port_names, "https"])
    https = ports.pop("https")
    access, secret = (secrets.token_urlsafe(24) for _ in range(2))
    server = SeaweedFS(folder=folder, ports=ports, access_key=access, secret_key=secret)
    server.prepare()
    flags = {
        "s3.port.https": https,
        "s3.cert.file": certificates / "server.crt",
        "s3.key.file": certificates / "server.key",
        "s3.iam.readOnly": "false",
    }
    command = [*server.command(), *(f"-{name}={value}" for name, value in flags.items())]
    process = spawn(command, folder, server.environment(), server.log)
    try:
        guarded = GuardedS3(
            f"https://127.0.0.1:{https}",
            f"http://{server.address}",
            certificates / "ca.crt",
            access,
            secret,
        )
        _await(guarded)
        yield guarded
    finally:
        end([process], patience=15)
        for socket in server.litter():
            socket.unlink(missing_ok=True)


def _await(server: GuardedS3) -> None:
    deadline = time.monotonic() + _PATIENCE
    client = server.client()
    while True:
        try:
            client.list_objects_v2(Bucket="a-bucket")
        except (BotoCoreError, client.exceptions.ClientError):
            assert time.monotonic() < deadline, f"no S3 at {server.endpoint}"
            time.sleep(POLL)
        else:
            return client.close()
