"""A gRPC proxy before a real etcd: every call passes a gate."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, NoReturn

import grpc

Server = Callable[[], bytes]
"""Asks the real server, and returns its answer."""

Pass = Callable[[str, bytes, Server], bytes]
"""Given method, request and the way to the server: the answer, or a Refusal."""

Metadata = tuple[tuple[str, str | bytes], ...]

PATIENCE: Final = 10.0
THREADS: Final = 32


class Refusal(Exception):
    """What the client is told instead of an answer."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code, self.details = code, details


CUT: Final = Refusal(grpc.StatusCode.UNAVAILABLE, "Socket closed")
"""What gRPC itself tells a client whose connection breaks while it waits."""

BUSY: Final = Refusal(grpc.StatusCode.UNAVAILABLE, "etcdserver: request timed out")
DENIED: Final = Refusal(grpc.StatusCode.PERMISSION_DENIED, "etcdserver: permission denied")


class EtcdProxy(grpc.GenericRpcHandler):
    """Listens on a free port of 127.0.0.1; unary calls only, which is all that a restore makes."""

    def __init__(self, server: grpc.Channel, let: Pass) -> None:
        self._let = let
        self._channel = server
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="etcd-proxy")
        self._server = grpc.server(self._threads, handlers=[self])
        self.address = f"127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"

    def start(self) -> None:
        self._server.start()

    def close(self) -> None:
        """Stop listening, and leave neither connection nor thread behind."""
        self._server.stop(None).wait()
        self._threads.shutdown()
        self._channel.close()

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method, metadata = handler_call_details.method, handler_call_details.invocation_metadata

        def serve(request: bytes, context: grpc.ServicerContext) -> bytes:
            try:
                return self._let(method, request, lambda: self._ask(method, request, metadata))
            except Refusal as refusal:
                context.abort(refusal.code, refusal.details)
                raise

        return grpc.unary_unary_rpc_method_handler(serve)

    def _ask(self, method: str, request: bytes, metadata: Metadata) -> bytes:
        kept = tuple(each for each in metadata if each[0] in ("token", "hasleader"))
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(method)
        try:
            return call(request, metadata=kept, timeout=PATIENCE)
        except grpc.RpcError as error:
            _repeat(error)


def _repeat(error: grpc.RpcError) -> NoReturn:
    """Tell the client what the server told us."""
    raise Refusal(error.code(), error.details() or "") from error


@contextmanager
def proxied_etcd(server: grpc.Channel, let: Pass) -> Iterator[EtcdProxy]:
    """A running proxy before the server, gone afterwards with the way to the server."""
    proxy = EtcdProxy(server, let)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.close()
