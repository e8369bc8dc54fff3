"""A cluster behind one channel: typed calls, several endpoints with failover, a token that renews itself."""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from stores.budget import Budget
from stores.call_spans import spanned
from stores.etcd_endpoint import Endpoint, Identity
from stores.etcd_errors import Etcd3Exception, PreconditionFailedError, translated
from stores.proto import etcd_rpc_pb2 as rpc
from stores.retry_metrics import count_retry

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)
Incoming = TypeVar("Incoming", bound=Message, covariant=True)
T = TypeVar("T")
Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Method(Generic[Request, Response]):
    """A call of etcd's gRPC API."""

    path: str
    request: type[Request]
    response: type[Response]

    @property
    def service(self) -> str:
        """The first part of the path."""
        return self.path.split("/")[1]

    @property
    def name(self) -> str:
        """The last part of the path, for messages."""
        return self.path.rpartition("/")[2]


RANGE = Method("/etcdserverpb.KV/Range", rpc.RangeRequest, rpc.RangeResponse)
PUT = Method("/etcdserverpb.KV/Put", rpc.PutRequest, rpc.PutResponse)
DELETE_RANGE = Method("/etcdserverpb.KV/DeleteRange", rpc.DeleteRangeRequest, rpc.DeleteRangeResponse)
TXN = Method("/etcdserverpb.KV/Txn", rpc.TxnRequest, rpc.TxnResponse)
COMPACT = Method("/etcdserverpb.KV/Compact", rpc.CompactionRequest, rpc.CompactionResponse)
LEASE_GRANT = Method("/etcdserverpb.Lease/LeaseGrant", rpc.LeaseGrantRequest, rpc.LeaseGrantResponse)
LEASE_REVOKE = Method("/etcdserverpb.Lease/LeaseRevoke", rpc.LeaseRevokeRequest, rpc.LeaseRevokeResponse)
AUTHENTICATE = Method("/etcdserverpb.Auth/Authenticate", rpc.AuthenticateRequest, rpc.AuthenticateResponse)
STATUS = Method("/etcdserverpb.Maintenance/Status", rpc.StatusRequest, rpc.StatusResponse)
# Both directions are streams.
LEASE_KEEP_ALIVE = Method(
    "/etcdserverpb.Lease/LeaseKeepAlive", rpc.LeaseKeepAliveRequest, rpc.LeaseKeepAliveResponse
)
WATCH = Method("/etcdserverpb.Watch/Watch", rpc.WatchRequest, rpc.WatchResponse)

# A member that lost its leader says so at once instead of letting the call time out.
_REQUIRE_LEADER = (("hasleader", "true"),)


class Stream(Protocol[Incoming]):
    """Answers that keep coming until the stream is cancelled."""

    def __next__(self) -> Incoming:
        """Return the next answer, as soon as there is one."""

    def cancel(self) -> bool:
        """End the stream; a waiting `next` raises."""


@dataclass(frozen=True, slots=True)
class Line:
    """A connection to one endpoint."""

    endpoint: Endpoint
    channel: grpc.Channel

    def unary(
        self, method: Method[Request, Response], request: Request, metadata: Metadata, timeout: float
    ) -> Response:
        """Return the answer of one call; Etcd3Exception otherwise."""
        call = self.channel.unary_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )

        def send() -> Response:
            try:
                return call(request, timeout=timeout, metadata=metadata)
            except grpc.RpcError as error:
                raise self.explained(error, method) from error

        return spanned(method.service, method.name, self._told, send)

    def stream(
        self,
        method: Method[Request, Response],
        requests: Iterator[Request],
        metadata: Metadata,
        timeout: float | None = None,
    ) -> Stream[Response]:
        """Return the opened stream; `next` on it raises grpc.RpcError."""
        call = self.channel.stream_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        return call(requests, timeout=timeout, metadata=metadata)

    def explained(self, error: grpc.RpcError, method: Method[Request, Response]) -> Etcd3Exception:
        """Return the exception that stands for a gRPC status here."""
        return translated(error, method.name, self.endpoint.address)

    def _told(self) -> dict[str, str]:
        return {"rpc.system": "grpc", "server.address": self.endpoint.address}


Action = Callable[[Line, Metadata, float], T]


class EtcdChannel:
    """Calls go to the endpoint that answered last, and move on when it fails. Thread-safe."""

    def __init__(self, endpoints: Sequence[str], identity: Identity) -> None:
        credentials = identity.credentials()
        self._identity = identity
        self._lines = [Line(at, at.channel(credentials)) for at in identity.endpoints(endpoints)]
        self._current = 0
        self._token: str | None = None
        self._lock = threading.Lock()
        self._authenticating = threading.Lock()
        self.closed = threading.Event()

    def call(
        self, method: Method[Request, Response], request: Request, budget: Budget, *, repeatable: bool
    ) -> Response:
        """Return the answer, tried again inside the budget while that is safe.

        A request that is not `repeatable` is sent again only when it surely had no effect; otherwise
        the Etcd3Exception says `maybe_applied`.
        """
        return self.attempt(
            lambda line, metadata, timeout: line.unary(method, request, metadata, timeout),
            budget,
            repeatable=repeatable,
        )

    def attempt(self, action: Action[T], budget: Budget, *, repeatable: bool) -> T:
        """Return what an action on a connection returns, tried again as in `call`."""
        failures = 0
        while True:
            line = self._lines[self._current]
            try:
                return self._with_token(line, action, budget)
            except Etcd3Exception as error:
                self._leave(line)
                if not error.transient or (error.maybe_applied and not repeatable):
                    raise
                failures += 1
                if not self._may_go_on(failures, budget):
                    raise
                count_retry("etcd", error)

    def _may_go_on(self, failures: int, budget: Budget) -> bool:
        """Pause when every endpoint has had its turn; False when time is up."""
        return not budget.over if failures % len(self._lines) else budget.pause()

    def close(self) -> None:
        """End every call and connection, also waiting ones."""
        self.closed.set()
        for line in self._lines:
            line.channel.close()

    def _leave(self, line: Line) -> None:
        """Make the next endpoint current, unless another thread has already left this one."""
        with self._lock:
            if self._lines[self._current] is line:
                self._current = (self._current + 1) % len(self._lines)

    def _with_token(self, line: Line, action: Action[T], budget: Budget) -> T:
        if not self._identity.user:
            return action(line, _REQUIRE_LEADER, budget.timeout)
        token = self._renewed(line, None, budget) if self._token is None else self._token
        try:
            return action(line, _metadata(token), budget.timeout)
        except Etcd3Exception as error:
            if not error.stale_token:
                raise
        token = self._renewed(line, token, budget)
        return action(line, _metadata(token), budget.timeout)

    def _renewed(self, line: Line, stale: str | None, budget: Budget) -> str:
        """Return a token other than the stale one; one thread asks for it, the others wait."""
        with self._authenticating:
            if self._token is None or self._token == stale:
                self._token = self._authenticate(line, budget.timeout)
            return self._token

    def _authenticate(self, line: Line, timeout: float) -> str:
        """Return a new token, empty when the server asks for none."""
        who = rpc.AuthenticateRequest(name=self._identity.user, password=self._identity.password)
        try:
            return line.unary(AUTHENTICATE, who, _REQUIRE_LEADER, timeout).token
        except PreconditionFailedError as error:
            if "authentication is not enabled" in error.details:
                return ""
            raise


def _metadata(token: str) -> Metadata:
    # Plain metadata, since call credentials would ask for TLS.
    return (*_REQUIRE_LEADER, ("token", token)) if token else _REQUIRE_LEADER
