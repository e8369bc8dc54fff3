"""A gRPC server that takes a restore's calls as Milvus's proxy does, and keeps a catalog as RootCoord would.

What it refuses and how it numbers fields was seen at Milvus 2.3.5 or is said of newer ones in
segment-restore.md, section 1.3.
"""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import Message

from formats.keys import MetaKeys
from formats.proto import etcd_pb2, index_pb2, schema_pb2
from formats.proto.common_pb2 import KeyValuePair
from stores.catalog import collection_names, find_collection
from stores.ports import MetadataStore, Transaction
from stores.proto import milvus_rpc_pb2 as rpc

KINDS: dict[str, tuple[type[Any], type[Any]]] = {
    "HasCollection": (rpc.HasCollectionRequest, rpc.HasCollectionResponse),
    "CreateCollection": (rpc.CreateCollectionRequest, rpc.Status),
    "RenameCollection": (rpc.RenameCollectionRequest, rpc.Status),
    "DropCollection": (rpc.DropCollectionRequest, rpc.Status),
    "CreatePartition": (rpc.CreatePartitionRequest, rpc.Status),
    "CreateIndex": (rpc.CreateIndexRequest, rpc.Status),
    "DropIndex": (rpc.DropIndexRequest, rpc.Status),
    "Flush": (rpc.FlushRequest, rpc.FlushResponse),
    "GetFlushState": (rpc.GetFlushStateRequest, rpc.GetFlushStateResponse),
}

Answer = Callable[[Any, grpc.ServicerContext], Any]


class Refusal(Exception):
    """What Milvus says in a status instead of doing it."""

    def __init__(self, reason: str, code: int = 1100) -> None:
        super().__init__(reason)
        self.status = rpc.Status(code=code, reason=reason)


@dataclass
class MilvusServer:
    """`troubles` answer a call before it is done, `afterthoughts` once it is; each is used up.

    `keeps_ids` tells whether it is of the newer ones; `chosen` are the parameters of its automatic indexes.
    `requests` lists what came, in order, `metadata` what came with the newest.
    `looks` is how often a flush is not done yet when it is asked after.
    """

    store: MetadataStore
    keys: MetaKeys
    address: str = ""
    keeps_ids: bool = True
    chosen: dict[str, str] = field(default_factory=lambda: {"index_type": "HNSW", "M": "18"})
    requests: list[tuple[str, Any]] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    troubles: dict[str, Answer] = field(default_factory=dict)
    afterthoughts: dict[str, Answer] = field(default_factory=dict)
    looks: int = 0
    next_id: int = 470_642_054_948_716_000
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def calls(self, name: str) -> list[Any]:
        """The requests of one call, in order."""
        return [request for call, request in self.requests if call == name]

    def answer(self, call: str, request: Any, context: grpc.ServicerContext) -> Any:
        with self._lock:
            self.requests.append((call, request))
            self.metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
            if call in self.troubles:
                return self.troubles.pop(call)(request, context)
            try:
                done = getattr(self, f"_{call}")(request) or KINDS[call][1]()
            except Refusal as refusal:
                kind = KINDS[call][1]
                return refusal.status if kind is rpc.Status else kind(status=refusal.status)
            return self.afterthoughts.pop(call)(request, context) if call in self.afterthoughts else done

    def put(self, *records: tuple[str, Message]) -> None:
        assert self.store.commit(
            Transaction(puts={key: record.SerializeToString() for key, record in records})
        )

    def fresh(self) -> int:
        self.next_id += 1
        return self.next_id

    def _HasCollection(self, request: rpc.HasCollectionRequest) -> rpc.HasCollectionResponse:  # noqa: N802 - the call's name
        there = collection_names(self.store, self.keys, request.db_name).values()
        return rpc.HasCollectionResponse(value=request.collection_name in there)

    def _CreateCollection(self, request: rpc.CreateCollectionRequest) -> None:  # noqa: N802 - the call's name
        schema = schema_pb2.CollectionSchema.FromString(request.schema)
        _validate(schema, request)
        properties = {pair.key: pair.value for pair in request.properties}
        preserve = self.keeps_ids and properties.get("preserve_field_ids") == "true"
        if schema.enable_dynamic_field:
            meta = schema.fields.add(name="$meta", data_type=schema_pb2.JSON, is_dynamic=True)
            meta.fieldID = -1 if preserve else 0
        if not preserve:
            _number(schema)
        for struct in schema.struct_array_fields:
            for inner in struct.fields:
                inner.name = f"{struct.name}[{inner.name}]"
        self._record(request, schema)

    def _record(self, request: rpc.CreateCollectionRequest, schema: schema_pb2.CollectionSchema) -> None:
        number, channels = self.fresh(), [f"dml_{shard}" for shard in range(request.shards_num)]
        whole = etcd_pb2.CollectionInfo(
            ID=number,
            create_time=number,
            virtual_channel_names=[f"{name}_{number}v{shard}" for shard, name in enumerate(channels)],
            physical_channel_names=channels,
            shards_num=len(channels),
            consistency_level=request.consistency_level,
            properties=request.properties,
            db_id=1,
        )
        self.put(
            *((self.keys.field(number, each.fieldID), each) for each in schema.fields),
            *(
                (self.keys.struct_array_field(number, each.fieldID), each)
                for each in schema.struct_array_fields
            ),
            *((self.keys.function(number, each.id), each) for each in schema.functions),
        )
        keyed = any(each.is_partition_key for each in schema.fields)
        names = [f"_default_{n}" for n in range(request.num_partitions)] if keyed else ["_default"]
        for name in names:
            self._add_partition(number, name)
        del schema.fields[:], schema.struct_array_fields[:], schema.functions[:]
        whole.schema.CopyFrom(schema)
        self.put((self.keys.collection(1, number), whole))

    def _RenameCollection(self, request: rpc.RenameCollectionRequest) -> None:  # noqa: N802 - the call's name
        if request.newDBName != request.db_name:
            raise Refusal("it would move to another database")
        if find_collection(self.store, self.keys, request.db_name, request.newName):
            raise Refusal(
                f"duplicated new collection name :{request.newName} with other collection name", 65535
            )
        info = self._info(request.db_name, request.oldName)
        info.schema.name = request.newName
        self.put((self.keys.collection(1, info.ID), info))

    def _DropCollection(self, request: rpc.DropCollectionRequest) -> None:  # noqa: N802 - the call's name
        info = self._info(request.db_name, request.collection_name)
        assert self.store.commit(Transaction(deletes=[self.keys.collection(1, info.ID)]))

    def _CreatePartition(self, request: rpc.CreatePartitionRequest) -> None:  # noqa: N802 - the call's name
        self._add_partition(self._info(request.db_name, request.collection_name).ID, request.partition_name)

    def _CreateIndex(self, request: rpc.CreateIndexRequest) -> None:  # noqa: N802 - the call's name
        found = find_collection(self.store, self.keys, request.db_name, request.collection_name)
        assert found is not None
        fields = {each.name: each.fieldID for each in found.schema.fields}
        if request.field_name not in fields:
            raise Refusal(f"cannot create index on non-exist field: {request.field_name}")
        index = index_pb2.IndexInfo(
            collectionID=found.id,
            fieldID=fields[request.field_name],
            index_name=request.index_name,
            indexID=self.fresh(),
            index_params=_stored(request, self.chosen),
            user_index_params=request.extra_params,
        )
        self.put((self.keys.field_index(found.id, index.indexID), index_pb2.FieldIndex(index_info=index)))

    def _DropIndex(self, request: rpc.DropIndexRequest) -> None:  # noqa: N802 - the call's name
        found = find_collection(self.store, self.keys, request.db_name, request.collection_name)
        assert found is not None
        doomed = [each.indexID for each in found.indexes if each.index_name == request.index_name]
        assert self.store.commit(
            Transaction(deletes=[self.keys.field_index(found.id, each) for each in doomed])
        )

    def _Flush(self, request: rpc.FlushRequest) -> rpc.FlushResponse:  # noqa: N802 - the call's name
        (name,) = request.collection_names
        self._info(request.db_name, name)
        answer = rpc.FlushResponse(coll_flush_ts={name: self.fresh()})
        answer.coll_segIDs[name].data.append(71)
        answer.flush_coll_segIDs[name].data.extend([72, 71])
        return answer

    def _GetFlushState(self, request: rpc.GetFlushStateRequest) -> rpc.GetFlushStateResponse:  # noqa: N802 - the call's name
        self._info(request.db_name, request.collection_name)
        self.looks -= 1
        return rpc.GetFlushStateResponse(flushed=self.looks < 0)

    def _add_partition(self, collection: int, name: str) -> None:
        number = self.fresh()
        partition = etcd_pb2.PartitionInfo(partitionID=number, partitionName=name, collection_id=collection)
        self.put((self.keys.partition(collection, number), partition))

    def _info(self, database: str, name: str) -> etcd_pb2.CollectionInfo:
        found = find_collection(self.store, self.keys, database, name)
        if found is None:
            raise Refusal(f"collection not found[database={database}][collection={name}]", 100)
        record = self.store.get(self.keys.collection(1, found.id))
        assert record is not None
        return etcd_pb2.CollectionInfo.FromString(record.value)


def _validate(schema: schema_pb2.CollectionSchema, request: rpc.CreateCollectionRequest) -> None:
    if schema.name != request.collection_name:
        raise Refusal("collection name matches schema name: don't match")
    for each in schema.fields:
        if not (each.name[0].isalpha() or each.name[0] == "_") or each.is_dynamic:
            raise Refusal(f"Invalid field name: {each.name}", 1701)
        if each.name in ("RowID", "Timestamp"):
            raise Refusal(f"schema contains system field: {each.name}")
    if any("[" in each.name for struct in schema.struct_array_fields for each in struct.fields):
        raise Refusal("Field name can only contain numbers, letters, and underscores", 1701)
    keyed = any(each.is_partition_key for each in schema.fields)
    if request.num_partitions and not keyed:
        raise Refusal("num_partitions should only be specified with partition key field enabled", 65535)


def _number(schema: schema_pb2.CollectionSchema) -> None:
    following = iter(range(100, 10_000))
    for each in schema.fields:
        each.fieldID = next(following)
    for struct in schema.struct_array_fields:
        struct.fieldID = next(following)
        for inner in struct.fields:
            inner.fieldID = next(following)
    ids = {each.name: each.fieldID for each in schema.fields}
    for number, function in enumerate(schema.functions, 100):
        function.id = number
        function.input_field_ids[:] = [ids[name] for name in function.input_field_names]
        function.output_field_ids[:] = [ids[name] for name in function.output_field_names]


def _stored(request: rpc.CreateIndexRequest, chosen: dict[str, str]) -> list[KeyValuePair]:
    """Nested parameters side by side, a JSON path as a pointer, and of an automatic index what is chosen."""
    flat: dict[str, str] = {}
    for pair in request.extra_params:
        if pair.key == "params":
            flat |= {key: json.dumps(value) for key, value in json.loads(pair.value).items()}
        else:
            flat[pair.key] = pair.value
    if "json_path" in flat:
        steps = json.loads(
            "[" + flat["json_path"].removeprefix(request.field_name)[1:-1].replace("][", ",") + "]"
        )
        flat["json_path"] = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    if flat.get("index_type") == "AUTOINDEX":
        flat |= chosen
    return [KeyValuePair(key=key, value=value) for key, value in flat.items()]


@contextmanager
def serving(store: MetadataStore, keys: MetaKeys) -> Iterator[MilvusServer]:
    """A running server, gone afterwards."""
    milvus = MilvusServer(store, keys)

    def handler(call: str) -> "grpc.RpcMethodHandler[Any, Any]":
        request, response = KINDS[call]
        return grpc.unary_unary_rpc_method_handler(
            lambda message, context: milvus.answer(call, message, context),
            request_deserializer=request.FromString,
            response_serializer=response.SerializeToString,
        )

    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        service, handlers = "milvus.proto.milvus.MilvusService", {call: handler(call) for call in KINDS}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
        milvus.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        yield milvus
        server.stop(None).wait()
