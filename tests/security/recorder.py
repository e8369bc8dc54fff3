"""Everything that a worker asks of its stores, written down on the way."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import grpc

from stores.etcd_channel import AUTHENTICATE
from stores.proto import etcd_rpc_pb2 as rpc
from stores.s3_connection import Access
from tests.faults.etcd_proxy import Server, proxied_etcd
from tests.security.guarded import Guarded
from tests.stores.faulty_s3 import FaultyS3, Request, faulty

ACTIONS: Mapping[str, str] = {
    "ListObjectsV2": "s3:ListBucket",
    "ListMultipartUploads": "s3:ListBucketMultipartUploads",
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "PutObject": "s3:PutObject",
    "CreateMultipartUpload": "s3:PutObject",
    "CopyObject": "s3:PutObject",
    "DeleteObjects": "s3:DeleteObject",
    "DeleteObject": "s3:AbortMultipartUpload",  # of an upload; objects are deleted together
}
"""What an identity needs to be allowed for an operation."""


@dataclass
class Recorded:
    """What was asked so far: (read or write, key or prefix) of etcd, (bucket, action) of object storage."""

    environment: Mapping[str, str]
    s3: FaultyS3
    keys: set[tuple[str, str]] = field(default_factory=set)

    @property
    def actions(self) -> set[tuple[str, str]]:
        return {each for request in self.s3.requests for each in _actions(request)}

    def note(self, method: str, request: bytes) -> None:
        if method.endswith("/Range"):
            self.keys.add(("read", rpc.RangeRequest.FromString(request).key.decode()))
        elif method.endswith("/Txn"):
            transaction = rpc.TxnRequest.FromString(request)
            self.keys |= {("read", each.key.decode()) for each in transaction.compare}
            self.keys |= {("write", _written(each)) for each in transaction.success}
        else:
            assert method == AUTHENTICATE.path, method


@contextmanager
def recorded(servers: Guarded, environment: Mapping[str, str]) -> Iterator[Recorded]:
    """An environment that leads through the recorder, to the same servers and with the same identities."""
    access = Access("default", servers.s3.plain, environment["RESTORE_S3_REGION"])
    with faulty(access) as s3:
        leads = {**environment, "RESTORE_S3_ENDPOINT": str(s3.access.endpoint)}
        record = Recorded(leads, s3)

        def note(method: str, request: bytes, server: Server) -> bytes:
            record.note(method, request)
            return server()

        with proxied_etcd(_channel(servers), note) as etcd:
            leads["RESTORE_ETCD_ENDPOINTS"] = f"http://{etcd.address}"
            yield record


def _channel(servers: Guarded) -> grpc.Channel:
    ca, key, cert = (servers.certificates / name for name in ("ca.crt", "client.key", "client.crt"))
    credentials = grpc.ssl_channel_credentials(ca.read_bytes(), key.read_bytes(), cert.read_bytes())
    return grpc.secure_channel(servers.etcd.address, credentials)


def _written(operation: rpc.RequestOp) -> str:
    return (operation.request_put.key or operation.request_delete_range.key).decode()


def _actions(request: Request) -> Iterator[tuple[str, str]]:
    yield urlsplit(request.path).path.split("/")[1], ACTIONS[request.operation]
    if source := request.headers.get("x-amz-copy-source"):
        yield unquote(source).lstrip("/").split("/")[0], "s3:GetObject"
