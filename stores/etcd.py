"""A client of etcd's v3 API with the method and exception names of etcd3, over one thread-safe channel.

    client = Etcd3Client(["localhost:2379"])
    client.put("key", "value")
    value, metadata = client.get("key")

Every call is tried again, on another endpoint if there is one, while that is safe and `patience` lasts.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import grpc

from stores import etcd_channel as calls
from stores.budget import Budget
from stores.etcd_channel import EtcdChannel, Line, Metadata
from stores.etcd_endpoint import Identity
from stores.etcd_errors import (
    ConnectionFailedError,
    ConnectionTimeoutError,
    Etcd3Exception,
    InternalServerError,
    PreconditionFailedError,
    RevisionCompactedError,
)
from stores.etcd_transaction import (
    Condition,
    Operation,
    Text,
    Transactions,
    answers,
    encoded,
    prefix_end,
    request,
)
from stores.etcd_watch import DeleteEvent, Event, PutEvent, Watch
from stores.proto import etcd_rpc_pb2 as rpc

__all__ = [
    "ConnectionFailedError",
    "ConnectionTimeoutError",
    "DeleteEvent",
    "Etcd3Client",
    "Etcd3Exception",
    "Event",
    "InternalServerError",
    "KVMetadata",
    "Lease",
    "PreconditionFailedError",
    "PutEvent",
    "RevisionCompactedError",
    "Status",
]

PAGE = 1_000
RESTARTS = 5
"""How often a scan goes on at a newer revision after its own was compacted."""


@dataclass(frozen=True, slots=True)
class KVMetadata:
    """What etcd keeps beside a value; `version` counts the writes since `create_revision`."""

    key: bytes
    create_revision: int
    mod_revision: int
    version: int
    lease_id: int


@dataclass(frozen=True, slots=True)
class Status:
    """A member's state; sizes in bytes."""

    version: str
    db_size: int
    leader: int
    raft_index: int
    raft_term: int


class Etcd3Client:
    """A client of one cluster. Thread-safe; `timeout` and `patience` in seconds."""

    transactions = Transactions()

    def __init__(
        self,
        endpoints: Sequence[str],
        *,
        user: str = "",
        password: str = "",
        ca_cert: Path | str | None = None,
        cert_cert: Path | str | None = None,
        cert_key: Path | str | None = None,
        timeout: float = 4.0,
        patience: float = 10.0,
    ) -> None:
        self._channel = EtcdChannel(endpoints, Identity(user, password, ca_cert, cert_cert, cert_key))
        self._patience = (patience, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop all connections; calls under way fail."""
        self._channel.close()

    def budget(self) -> Budget:
        """Return a fresh budget of this client's patience."""
        return Budget(*self._patience, self._channel.closed)

    def get(self, key: Text, budget: Budget | None = None) -> tuple[bytes | None, KVMetadata | None]:
        """Return value and metadata of a key; (None, None) when it is absent."""
        found = self._range(rpc.RangeRequest(key=encoded(key)), budget).kvs
        return (found[0].value, _metadata(found[0])) if found else (None, None)

    def get_prefix(self, key_prefix: Text, *, keys_only: bool = False) -> Iterator[tuple[bytes, KVMetadata]]:
        """Yield value and metadata of every key with a prefix in key order, as of one revision.

        Pages are read as they are needed. When the revision is compacted meanwhile, the scan goes on
        behind the last key at the newest revision; RevisionCompactedError at the sixth time.
        """
        prefix = encoded(key_prefix)
        wanted = rpc.RangeRequest(
            key=prefix or b"\0", range_end=prefix_end(prefix), limit=PAGE, keys_only=keys_only
        )
        restarts = 0
        while True:
            try:
                page = self._range(wanted)
            except RevisionCompactedError:
                restarts += 1
                if restarts > RESTARTS:
                    raise
                wanted.revision = 0
                continue
            yield from ((kv.value, _metadata(kv)) for kv in page.kvs)
            if not page.more:
                return
            wanted.key = page.kvs[-1].key + b"\0"
            wanted.revision = wanted.revision or page.header.revision

    def put(self, key: Text, value: Text, lease: "Lease | int" = 0) -> rpc.PutResponse:
        """Set a key, perhaps for the life of a lease."""
        lease_id = lease.id if isinstance(lease, Lease) else lease
        wanted = rpc.PutRequest(key=encoded(key), value=encoded(value), lease=lease_id)
        return self._channel.call(calls.PUT, wanted, self.budget(), repeatable=False)

    def delete(self, key: Text) -> bool:
        """Remove a key; False when it was absent."""
        wanted = rpc.DeleteRangeRequest(key=encoded(key))
        return bool(self._channel.call(calls.DELETE_RANGE, wanted, self.budget(), repeatable=False).deleted)

    def transaction(
        self,
        compare: Iterable[Condition],
        success: Iterable[Operation],
        failure: Iterable[Operation] = (),
        *,
        budget: Budget | None = None,
        repeatable: bool = False,
    ) -> tuple[bool, Sequence[object]]:
        """Return whether every condition held, and the answers of `success`, or else of `failure`.

        `repeatable` says that doing it twice is doing it once, so that a lost answer is no error.
        """
        wanted = request(compare, success, failure)
        response = self._channel.call(calls.TXN, wanted, budget or self.budget(), repeatable=repeatable)
        return response.succeeded, answers(response)

    def compact(self, revision: int, *, physical: bool = False) -> None:
        """Drop what lies before a revision; `physical` waits until it has left the disk."""
        wanted = rpc.CompactionRequest(revision=revision, physical=physical)
        self._channel.call(calls.COMPACT, wanted, self.budget(), repeatable=False)

    def lease(self, ttl: int, lease_id: int = 0) -> "Lease":
        """Return a new lease of `ttl` seconds; the server may grant more."""
        wanted = rpc.LeaseGrantRequest(TTL=ttl, ID=lease_id)
        granted = self._channel.call(calls.LEASE_GRANT, wanted, self.budget(), repeatable=False)
        return Lease(granted.ID, granted.TTL, self)

    def revoke_lease(self, lease_id: int) -> None:
        """End a lease and remove its keys."""
        wanted = rpc.LeaseRevokeRequest(ID=lease_id)
        self._channel.call(calls.LEASE_REVOKE, wanted, self.budget(), repeatable=False)

    def refresh_lease(self, lease_id: int) -> int:
        """Return the seconds that a lease lives from now on; 0 when it is gone."""

        def refresh(line: Line, metadata: Metadata, timeout: float) -> int:
            wanted = iter([rpc.LeaseKeepAliveRequest(ID=lease_id)])
            stream = line.stream(calls.LEASE_KEEP_ALIVE, wanted, metadata, timeout)
            try:
                return next(stream).TTL
            except grpc.RpcError as error:
                raise line.explained(error, calls.LEASE_KEEP_ALIVE) from error
            finally:
                stream.cancel()

        return self._channel.attempt(refresh, self.budget(), repeatable=True)

    def watch(self, key: Text, start_revision: int = 0) -> tuple[Iterator[Event], Callable[[], None]]:
        """Return the changes of a key from now (or a revision) on, and what cancels them."""
        watch = Watch(self._channel, rpc.RangeRequest(key=encoded(key)), start_revision, self.budget)
        return watch, watch.cancel

    def watch_prefix(
        self, key_prefix: Text, start_revision: int = 0
    ) -> tuple[Iterator[Event], Callable[[], None]]:
        """Return the changes below a prefix from now (or a revision) on, and what cancels them."""
        prefix = encoded(key_prefix)
        keys = rpc.RangeRequest(key=prefix or b"\0", range_end=prefix_end(prefix))
        watch = Watch(self._channel, keys, start_revision, self.budget)
        return watch, watch.cancel

    def status(self) -> Status:
        """Return the state of the member that answers."""
        found = self._channel.call(calls.STATUS, rpc.StatusRequest(), self.budget(), repeatable=True)
        return Status(found.version, found.dbSize, found.leader, found.raftIndex, found.raftTerm)

    def _range(self, wanted: rpc.RangeRequest, budget: Budget | None = None) -> rpc.RangeResponse:
        return self._channel.call(calls.RANGE, wanted, budget or self.budget(), repeatable=True)


@dataclass(frozen=True, slots=True)
class Lease:
    """Keys put with it vanish when it is not refreshed for `ttl` seconds."""

    id: int
    ttl: int
    etcd_client: Etcd3Client

    def refresh(self) -> int:
        """Return the seconds that it lives from now on; 0 when it is gone."""
        return self.etcd_client.refresh_lease(self.id)

    def revoke(self) -> None:
        """End it and remove its keys."""
        self.etcd_client.revoke_lease(self.id)


def _metadata(kv: rpc.KeyValue) -> KVMetadata:
    return KVMetadata(kv.key, kv.create_revision, kv.mod_revision, kv.version, kv.lease)
