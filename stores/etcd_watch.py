"""A watch that survives lost connections: no event is missed and none comes twice."""

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import grpc

from stores.budget import Budget
from stores.etcd_channel import RANGE, WATCH, EtcdChannel, Line, Metadata, Stream
from stores.etcd_errors import Etcd3Exception, PermissionDeniedError, RevisionCompactedError
from stores.proto import etcd_rpc_pb2 as rpc


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a key."""

    key: bytes
    mod_revision: int


@dataclass(frozen=True, slots=True)
class PutEvent(Event):
    """A key was set; `version` counts its writes since `create_revision`."""

    value: bytes
    create_revision: int
    version: int


@dataclass(frozen=True, slots=True)
class DeleteEvent(Event):
    """A key was removed, or its lease ended."""


@dataclass(frozen=True, slots=True)
class _Open:
    """An opened stream; its requests end when `requests` gets a None."""

    line: Line
    stream: Stream[rpc.WatchResponse]
    requests: "queue.SimpleQueue[rpc.WatchRequest | None]"

    def close(self) -> None:
        self.requests.put(None)
        self.stream.cancel()


class Watch(Iterator[Event]):
    """The changes of a range of keys from a revision on, in order, until it is cancelled.

    A lost connection is made again within a budget, else iteration raises Etcd3Exception; it is
    RevisionCompactedError when the changes in between are no longer kept.
    """

    def __init__(
        self, channel: EtcdChannel, keys: rpc.RangeRequest, start_revision: int, budget: Callable[[], Budget]
    ) -> None:
        self._channel = channel
        self._keys = rpc.RangeRequest(key=keys.key, range_end=keys.range_end, count_only=True)
        self._next_revision = start_revision
        self._budget = budget
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._open = self._opened()
        self._events = self._received()

    def __next__(self) -> Event:
        return next(self._events)

    def cancel(self) -> None:
        """End the iteration, also one that waits in another thread."""
        with self._lock:
            self._cancelled.set()
            self._open.close()

    def _received(self) -> Iterator[Event]:
        while not self._cancelled.is_set():
            try:
                yield from self._accepted(next(self._open.stream))
            except StopIteration:
                self._reopen()
            except grpc.RpcError as error:
                failure = self._open.line.explained(error, WATCH)
                if not self._over() and not (
                    failure.maybe_applied or failure.transient or failure.stale_token
                ):
                    raise failure from error
                self._reopen()

    def _over(self) -> bool:
        return self._cancelled.is_set() or self._channel.closed.is_set()

    def _reopen(self) -> None:
        self._open.close()
        if self._over() or not self._budget().pause():
            self._cancelled.set()
            return
        fresh = self._opened()
        with self._lock:
            self._open = fresh
            if self._cancelled.is_set():
                fresh.close()

    def _opened(self) -> _Open:
        return self._channel.attempt(self._begin, self._budget(), repeatable=True)

    def _begin(self, line: Line, metadata: Metadata, timeout: float) -> _Open:
        # Reading first proves that the member lives and the token is valid, and tells from where to watch.
        now = line.unary(RANGE, self._keys, metadata, timeout).header.revision
        self._next_revision = self._next_revision or now + 1
        create = rpc.WatchCreateRequest(
            key=self._keys.key, range_end=self._keys.range_end, start_revision=self._next_revision
        )
        requests: queue.SimpleQueue[rpc.WatchRequest | None] = queue.SimpleQueue()
        requests.put(rpc.WatchRequest(create_request=create))
        return _Open(line, line.stream(WATCH, iter(requests.get, None), metadata), requests)

    def _accepted(self, response: rpc.WatchResponse) -> Iterator[Event]:
        if response.canceled:
            raise self._refusal(response)
        for event in response.events:
            # One revision may change several keys; all of them come in one response.
            self._next_revision = event.kv.mod_revision + 1
            yield _event(event)

    def _refusal(self, response: rpc.WatchResponse) -> Etcd3Exception:
        reason, where = response.cancel_reason, self._open.line.endpoint.address
        if response.compact_revision:
            return RevisionCompactedError(
                reason, compacted_revision=response.compact_revision, call=WATCH.name, endpoint=where
            )
        kind = PermissionDeniedError if "permission denied" in reason else Etcd3Exception
        return kind(reason, call=WATCH.name, endpoint=where)


def _event(event: rpc.Event) -> Event:
    kv = event.kv
    if event.type == rpc.Event.DELETE:
        return DeleteEvent(kv.key, kv.mod_revision)
    return PutEvent(kv.key, kv.mod_revision, kv.value, kv.create_revision, kv.version)
