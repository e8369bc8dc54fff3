"""What can go wrong in a call to etcd: etcd3's exception names, and what a caller needs to decide.

Etcd3Exception
├── ConnectionFailedError       nothing answers, or the connection broke            transient
├── ConnectionTimeoutError      no answer in time                                   transient
├── ResourceExhaustedError      too many requests, or the database is full          transient
├── UnauthenticatedError        wrong password, or a token that is not valid (any more)
├── PermissionDeniedError       the user may not
├── InvalidRequestError         etcd does not take this request
├── PreconditionFailedError
├── RevisionCompactedError
└── InternalServerError
"""

from typing import ClassVar

import grpc

# Texts of etcd 3.4 to 3.6; all of them reject a request before it is applied.
_STALE_TOKEN = (
    "etcdserver: invalid auth token",
    "etcdserver: revision of auth store is old",
    # Said to a call without a token, as sent before authentication was switched on.
    "etcdserver: user name is empty",
)
_WRONG_PASSWORD = "etcdserver: authentication failed"  # noqa: S105 - a message
_COMPACTED = "etcdserver: mvcc: required revision has been compacted"

# Said without a code of its own while the lead passes from one member to another; nothing was proposed then.
_DROPPED = "raft proposal dropped"

# gRPC's words for a request that never left: these channels had no connection to send it on.
_NEVER_SENT = ("failed to connect to all addresses", "DNS resolution failed", "empty address list")


class Etcd3Exception(Exception):
    """A call failed: `call` at `endpoint`, and in `details` what the server or the channel said.

    `maybe_applied`: the request may have taken effect all the same. `stale_token`: it was refused
    for its token, so a new token may help.
    """

    transient: ClassVar[bool] = False

    def __init__(
        self, details: str = "", *, call: str = "", endpoint: str = "", maybe_applied: bool = False
    ) -> None:
        super().__init__(f"{call} at {endpoint}: {details}" if call else details)
        self.details = details
        self.call = call
        self.endpoint = endpoint
        self.maybe_applied = maybe_applied

    @property
    def stale_token(self) -> bool:
        """True when the request was refused for its token."""
        return self.details.startswith(_STALE_TOKEN)

    @property
    def answered(self) -> bool:
        """True when it was etcd itself that said no."""
        return self.details.startswith("etcdserver:")


class ConnectionFailedError(Etcd3Exception):
    """Nothing answers at the endpoint, the connection broke, or the cluster has no leader or changes it."""

    transient = True


class ConnectionTimeoutError(Etcd3Exception):
    """The answer did not come in time."""

    transient = True


class ResourceExhaustedError(Etcd3Exception):
    """The server has too many requests, or no space left."""

    transient = True


class UnauthenticatedError(Etcd3Exception):
    """The password is wrong, or the token is not valid (any more)."""


class PermissionDeniedError(Etcd3Exception):
    """The user may not read or write this key."""


class InvalidRequestError(Etcd3Exception):
    """The server does not take this request: too large, too many operations, malformed."""


class PreconditionFailedError(Etcd3Exception):
    """The server is not in a state for this call."""


class RevisionCompactedError(Etcd3Exception):
    """The revision is no longer kept; `compacted_revision` is the oldest one that is, 0 if unknown."""

    def __init__(self, details: str = "", *, compacted_revision: int = 0, **where: str) -> None:
        super().__init__(details, call=where.get("call", ""), endpoint=where.get("endpoint", ""))
        self.compacted_revision = compacted_revision


class InternalServerError(Etcd3Exception):
    """The server failed."""


_BY_CODE: dict[grpc.StatusCode, type[Etcd3Exception]] = {
    grpc.StatusCode.UNAVAILABLE: ConnectionFailedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: ConnectionTimeoutError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.UNIMPLEMENTED: InvalidRequestError,
    grpc.StatusCode.FAILED_PRECONDITION: PreconditionFailedError,
    grpc.StatusCode.INTERNAL: InternalServerError,
}
_AMBIGUOUS = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DATA_LOSS,
    }
)


def translated(error: grpc.RpcError, call: str, endpoint: str) -> Etcd3Exception:
    """Return the exception that stands for a gRPC status."""
    code, details = error.code(), error.details() or error.code().name
    if code is grpc.StatusCode.OUT_OF_RANGE and details.startswith(_COMPACTED):
        return RevisionCompactedError(details, call=call, endpoint=endpoint)
    if details == _DROPPED:
        return ConnectionFailedError(details, call=call, endpoint=endpoint)
    kind = _BY_CODE.get(code, Etcd3Exception)
    if details.startswith((*_STALE_TOKEN, _WRONG_PASSWORD)):
        kind = UnauthenticatedError
    maybe_applied = code in _AMBIGUOUS and not details.startswith(_NEVER_SENT)
    return kind(details, call=call, endpoint=endpoint, maybe_applied=maybe_applied)
