"""Milvus's own API, as far as a restore makes and removes its target with it (architecture, decision 12).

A snapshot that is to hold what was written until now has it flushed here first.

These few calls are ours rather than pymilvus's. pymilvus 3.0 makes a collection from classes of its own,
which leave out the ids of fields and functions that newer servers are to keep, and all that it does not know;
here the snapshot's schema goes to the server as it is. And a worker needs neither pandas nor numpy for it.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import grpc
from google.protobuf.message import Message
from pydantic import SecretStr

from formats.proto.common_pb2 import ConsistencyLevel, KeyValuePair
from formats.proto.schema_pb2 import CollectionSchema
from restore.creation import CollectionDefinition
from restore.errors import (
    AccessDenied,
    CollectionNotFound,
    FlushRefused,
    RestoreError,
    StoreUnavailable,
    TargetMismatch,
)
from stores.proto import milvus_rpc_pb2 as rpc


@dataclass(frozen=True, slots=True)
class Flush:
    """A flush that was asked for: the segments that it sealed, and its hybrid timestamp."""

    database: str
    collection: str
    segments: tuple[int, ...]
    timestamp: int


Response = TypeVar("Response", bound=Message)

_SERVICE = "/milvus.proto.milvus.MilvusService/"

_ATTEMPT = 60.0
"""Seconds for one call; a new collection may wait for its channels."""

_CHECK = 3.5
"""Seconds for finding out whether Milvus answers at all, as the checks of the other stores take."""

# What the server says in its status; all other failures are about what was asked for.
_NOT_READY, _RATE_LIMIT, _NO_COLLECTION = 1, 8, 100
_NOT_ALLOWED = (1400, 1401)

_REFUSED = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED)
_ANOTHER_TRY = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
)


class Milvus:
    """The proxy of a profile's cluster. Thread-safe; connects at its first call.

    No call is repeated here: after a StoreUnavailable its effect is unknown, and whoever called looks. What
    Milvus will not make is a TargetMismatch with its reason, what it forbids AccessDenied.
    """

    where: str
    """Milvus, its address and the profile, for error messages."""

    def __init__(self, profile: str, address: str, token: SecretStr | None = None) -> None:
        self.where = f"Milvus at {address} (profile '{profile}')"
        self._setting = f"RESTORE_MILVUS_ADDRESS ([profiles.{profile}.milvus] address)"
        self._channel = grpc.insecure_channel(address)
        self._metadata = _authorization(token)

    def check(self) -> None:
        """Return when Milvus takes connections; else AccessDenied, within 4 s."""
        try:
            grpc.channel_ready_future(self._channel).result(_CHECK)
        except grpc.FutureTimeoutError as error:
            raise AccessDenied(
                f"{self.where} cannot be reached: no connection in {_CHECK:g} s; check that it runs there "
                f"and that {self._setting} says so"
            ) from error

    def close(self) -> None:
        """Drop the connection; calls under way fail."""
        self._channel.close()

    def has_collection(self, database: str, name: str) -> bool:
        """True when Milvus knows a collection of this name."""
        request = rpc.HasCollectionRequest(db_name=database, collection_name=name)
        answer = self._ask("HasCollection", request, rpc.HasCollectionResponse)
        if answer.status.code == _NO_COLLECTION:
            return False
        self._require(answer.status, "HasCollection", name)
        return answer.value

    def create_collection(self, database: str, name: str, definition: CollectionDefinition) -> None:
        """Have a collection of this definition; one that is there already and equal is no error."""
        schema = CollectionSchema(name=name)
        schema.MergeFrom(definition.schema)
        self._do(
            "CreateCollection",
            rpc.CreateCollectionRequest(
                db_name=database,
                collection_name=name,
                schema=schema.SerializeToString(),
                shards_num=definition.shards,
                consistency_level=ConsistencyLevel.Name(definition.consistency_level),
                properties=_pairs(definition.properties),
                num_partitions=definition.num_partitions,
            ),
            name,
        )

    def rename_collection(self, database: str, name: str, to: str) -> None:
        """Give a collection another name in its database, which nothing else may have."""
        request = rpc.RenameCollectionRequest(db_name=database, oldName=name, newName=to, newDBName=database)
        self._do("RenameCollection", request, f"{name} to {to}")

    def drop_collection(self, database: str, name: str) -> None:
        """Remove a collection with all that it holds; an absent one is no error."""
        request = rpc.DropCollectionRequest(db_name=database, collection_name=name)
        self._do("DropCollection", request, name, absent=True)

    def create_partition(self, database: str, collection: str, name: str) -> None:
        """Have a partition of this name."""
        request = rpc.CreatePartitionRequest(
            db_name=database, collection_name=collection, partition_name=name
        )
        self._do("CreatePartition", request, f"{collection}/{name}")

    def create_index(
        self, database: str, collection: str, field: str, name: str, parameters: Mapping[str, str]
    ) -> None:
        """Have an index of this name and these parameters on a field."""
        request = rpc.CreateIndexRequest(
            db_name=database,
            collection_name=collection,
            field_name=field,
            index_name=name,
            extra_params=_pairs(parameters),
        )
        self._do("CreateIndex", request, f"{name} on field {field}")

    def drop_index(self, database: str, collection: str, field: str, name: str) -> None:
        """Remove an index from a collection that is not loaded."""
        request = rpc.DropIndexRequest(
            db_name=database, collection_name=collection, field_name=field, index_name=name
        )
        self._do("DropIndex", request, f"{name} on field {field}")

    def flush(self, database: str, collection: str) -> Flush:
        """Begin to write what the collection has in memory; CollectionNotFound or FlushRefused if not."""
        request = rpc.FlushRequest(db_name=database, collection_names=[collection])
        answer = self._ask("Flush", request, rpc.FlushResponse)
        self._require_flush(answer.status, "Flush", collection)
        sealed = answer.coll_segIDs.get(collection, rpc.LongArray()).data
        before = answer.flush_coll_segIDs.get(collection, rpc.LongArray()).data
        timestamp = answer.coll_flush_ts.get(collection, 0)
        return Flush(database, collection, tuple(dict.fromkeys([*sealed, *before])), timestamp)

    def is_flushed(self, flush: Flush) -> bool:
        """True when its segments are written and every channel's checkpoint is past it."""
        request = rpc.GetFlushStateRequest(
            segmentIDs=flush.segments,
            flush_ts=flush.timestamp,
            db_name=flush.database,
            collection_name=flush.collection,
        )
        answer = self._ask("GetFlushState", request, rpc.GetFlushStateResponse)
        self._require_flush(answer.status, "GetFlushState", flush.collection)
        return answer.flushed

    def _require_flush(self, status: rpc.Status, call: str, collection: str) -> None:
        if status.code == _NO_COLLECTION:
            raise CollectionNotFound(f"{self.where} has no collection {collection!r}: {status.reason}")
        try:
            self._require(status, call, collection)
        except TargetMismatch as error:
            raise FlushRefused(str(error)) from error

    def _do(self, call: str, request: Message, what: str, *, absent: bool = False) -> None:
        status = self._ask(call, request, rpc.Status)
        if not (absent and status.code == _NO_COLLECTION):
            self._require(status, call, what)

    def _ask(self, call: str, request: Message, kind: type[Response]) -> Response:
        send = self._channel.unary_unary(
            _SERVICE + call,
            request_serializer=type(request).SerializeToString,
            response_deserializer=kind.FromString,
        )
        try:
            answer: Response = send(request, timeout=_ATTEMPT, metadata=self._metadata)
        except grpc.RpcError as error:
            raise self._failure(error, call) from error
        return answer

    def _failure(self, error: grpc.RpcError, call: str) -> RestoreError:
        code, details = error.code(), error.details() or ""
        if code in _ANOTHER_TRY:
            return StoreUnavailable(f"{self.where} does not answer {call}: {code.name}, {details}")
        if code in _REFUSED:
            return AccessDenied(
                f"{self.where} refuses {call}: {code.name}, {details}; check RESTORE_MILVUS_TOKEN and the "
                "privileges of its user"
            )
        return AccessDenied(f"{self.where} has no answer to {call}: {code.name}, {details}")

    def _require(self, status: rpc.Status, call: str, what: str) -> None:
        if not status.code and not status.error_code:
            return
        code = status.code or status.error_code
        said = f"{self.where} refuses {call} of {what}: {status.reason} (code {code})"
        if status.retriable or status.code in (_NOT_READY, _RATE_LIMIT):
            raise StoreUnavailable(said)
        if status.code in _NOT_ALLOWED:
            raise AccessDenied(said)
        raise TargetMismatch(said)


def _authorization(token: SecretStr | None) -> tuple[tuple[str, str], ...]:
    if token is None:
        return ()
    # `user:password` or an API key, as in Milvus's clients; the metadata's key is lower-case on the wire.
    encoded = base64.b64encode(token.get_secret_value().encode()).decode()
    return (("authorization", encoded),)


def _pairs(values: Mapping[str, str]) -> list[KeyValuePair]:
    return [KeyValuePair(key=key, value=value) for key, value in values.items()]
