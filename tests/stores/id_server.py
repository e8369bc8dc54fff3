"""A gRPC server that gives ids as RootCoord does, and the records by which it is found."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc

from formats.keys import MetaKeys
from stores.ports import MetadataStore, Transaction
from stores.proto.root_coord_pb2 import AllocIDRequest, AllocIDResponse

FIRST_ID = 470_641_889_847_281_244
"""Of the size that a cluster of our days gives."""

Answer = Callable[[AllocIDRequest, grpc.ServicerContext], AllocIDResponse]


@dataclass
class IdServer:
    """Counts up from `next_id`; while there are `troubles`, each call has one of them instead."""

    address: str = ""
    next_id: int = FIRST_ID
    calls: int = 0
    troubles: list[Answer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: AllocIDRequest, context: grpc.ServicerContext) -> AllocIDResponse:
        with self._lock:
            self.calls += 1
            trouble = self.troubles.pop(0) if self.troubles else None
            first = self.next_id
            self.next_id += 0 if trouble else request.count
        return trouble(request, context) if trouble else AllocIDResponse(ID=first, count=request.count)


@contextmanager
def serving(method: str = "AllocID") -> Iterator[IdServer]:
    """A running server, gone afterwards."""
    ids = IdServer()
    handler = grpc.unary_unary_rpc_method_handler(
        ids.answer,
        request_deserializer=AllocIDRequest.FromString,
        response_serializer=AllocIDResponse.SerializeToString,
    )
    with ThreadPoolExecutor(4) as threads:
        server = grpc.server(threads)
        service = "milvus.proto.rootcoord.RootCoord"
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {method: handler}),))
        ids.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        yield ids
        server.stop(None).wait()


def register(store: MetadataStore, keys: MetaKeys, address: str | None, role: str = "rootcoord") -> str:
    """Write the session that a coordinator of Milvus 2.3.5 writes, and return its key; None takes it away."""
    key = keys.session(role)
    session = {
        "ServerID": 1,
        "ServerName": role,
        "Address": address,
        "Exclusive": True,
        "TriggerKill": True,
        "Version": "2.3.5",
        "IndexEngineVersion": {},
        "LeaseID": 4212169687741807192,
        "HostName": "vm",
    }
    transaction = (
        Transaction(puts={key: json.dumps(session).encode()}) if address else Transaction(deletes=[key])
    )
    assert store.commit(transaction)
    return key
