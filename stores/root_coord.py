"""RootCoord's id allocator over gRPC, found anew for each call by its session (architecture, section 4)."""

import threading

import grpc

from formats.keys import MetaKeys
from restore.errors import AccessDenied, StoreUnavailable
from stores.coordinator import ROLES, running_coordinator
from stores.ports import MetadataStore
from stores.proto.root_coord_pb2 import AllocIDRequest, AllocIDResponse
from stores.retry import Retry

METHOD = "/milvus.proto.rootcoord.RootCoord/AllocID"

_ATTEMPT = 5.0
"""Seconds for one call; it needs a millisecond."""

_CHECK = 3.5
"""Seconds for finding out whether the coordinator answers at all, as the checks of the other stores take."""

_PATIENT = Retry(store="root_coord")

_OPTIONS = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1_000))
"""A coordinator that comes back is found again within a second."""

_NOT_READY = 1
"""Milvus's code of a service that is still starting; releases before `retriable` set only this."""

# What another try cannot change; every other failure may end with a restart or a failover.
_FINAL = frozenset(
    {
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)


class CoordinatorAway(StoreUnavailable):
    """The coordinator is not registered, cannot be reached, or is not ready; a moment later it may be."""


class RootCoord:
    """The coordinator of a profile's cluster. Thread-safe; connects at its first call."""

    def __init__(self, profile: str, store: MetadataStore, keys: MetaKeys, retry: Retry = _PATIENT) -> None:
        self._profile = profile
        self._store = store
        self._keys = keys
        self._retry = retry
        self._lock = threading.Lock()
        self._line: tuple[str, grpc.Channel] | None = None

    def check(self) -> None:
        """Return when the coordinator is registered and takes connections; else AccessDenied, within 4 s."""
        try:
            address = self._address()
        except CoordinatorAway as error:
            raise AccessDenied(str(error)) from error
        try:
            grpc.channel_ready_future(self._channel(address)).result(_CHECK)
        except grpc.FutureTimeoutError as error:
            raise AccessDenied(str(self._unreachable(address, f"no connection in {_CHECK:g} s"))) from error

    def allocate(self, count: int) -> range:
        """Return `count` consecutive ids that RootCoord gives to nobody else.

        A coordinator that restarts or fails over is waited for; AccessDenied when that takes too long, or at
        once with Milvus's own reason when it refuses. An id whose answer was lost is never used.
        """
        try:
            return self._retry.run(lambda: self._ask(count))
        except CoordinatorAway as error:
            raise AccessDenied(str(error)) from error

    def close(self) -> None:
        """Drop the connection; calls under way fail."""
        with self._lock:
            if self._line:
                self._line[1].close()
            self._line = None

    def _ask(self, count: int) -> range:
        address = self._address()
        call = self._channel(address).unary_unary(
            METHOD,
            request_serializer=AllocIDRequest.SerializeToString,
            response_deserializer=AllocIDResponse.FromString,
        )
        try:
            answer: AllocIDResponse = call(AllocIDRequest(count=count), timeout=_ATTEMPT)
        except grpc.RpcError as error:
            raise self._failure(error, address) from error
        self._require_success(answer, count, address)
        return range(answer.ID, answer.ID + answer.count)

    def _address(self) -> str:
        session = running_coordinator(self._store, self._keys)
        if session is None:
            keys = " or ".join(self._keys.session(role) for role in ROLES)
            raise CoordinatorAway(
                f"no coordinator of Milvus is registered in etcd at {keys} (profile '{self._profile}'); "
                "start Milvus, correct the etcd root path, or, to restore while it is stopped, unset "
                f"{self._setting()}"
            )
        return session.address

    def _channel(self, address: str) -> grpc.Channel:
        """The one connection; a coordinator that has moved gets a new one."""
        with self._lock:
            if self._line is None or self._line[0] != address:
                if self._line:
                    self._line[1].close()
                self._line = address, grpc.insecure_channel(address, options=_OPTIONS)
            return self._line[1]

    def _failure(self, error: grpc.RpcError, address: str) -> Exception:
        code, details = error.code(), error.details() or ""
        if code in _FINAL:
            return AccessDenied(f"{self._where(address)} refused AllocID: {code.name}, {details}")
        return self._unreachable(address, f"{code.name}, {details}")

    def _unreachable(self, address: str, why: str) -> CoordinatorAway:
        return CoordinatorAway(
            f"{self._where(address)}, as it is registered in etcd, cannot be reached: {why}; run the worker "
            f"where it can be, or unset {self._setting()} to take ids from the restore's own counter"
        )

    def _require_success(self, answer: AllocIDResponse, count: int, address: str) -> None:
        status = answer.status
        if not status.code and not status.error_code and answer.count == count:
            return
        reason = status.reason or f"{answer.count} ids instead of {count}, error code {status.error_code}"
        if status.retriable or status.code == _NOT_READY:
            raise CoordinatorAway(f"{self._where(address)} gives no ids yet: {reason}")
        raise AccessDenied(f"{self._where(address)} gives no ids: {reason}")

    def _where(self, address: str) -> str:
        return f"Milvus's RootCoord at {address} (profile '{self._profile}')"

    def _setting(self) -> str:
        return f"RESTORE_MILVUS_ADDRESS ([profiles.{self._profile}.milvus] address)"
