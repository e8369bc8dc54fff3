"""A TCP proxy that holds back requests or answers and breaks connections, when told to."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class _Pair:
    """A client's connection and the one to the server behind it."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.broken = threading.Event()

    def cut(self) -> None:
        self.broken.set()
        for each in (self.client, self.server):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


class Proxy:
    """Listens on a free port of 127.0.0.1; what is held back is lost when the connection is cut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[_Pair] = []
        self._threads: list[threading.Thread] = []
        self._held = b""
        self.requests = threading.Event()
        self.answers = threading.Event()
        self.requests.set()
        self.answers.set()
        self._run(self._accept)

    @property
    def address(self) -> str:
        host, port = self._listener.getsockname()
        return f"{host}:{port}"

    def holds(self, text: str) -> bool:
        """True when a text stands in what is held back."""
        return text.encode() in self._held

    def cut(self) -> None:
        """Break every connection; new ones are welcome."""
        for pair in [*self._pairs]:
            pair.cut()
        self._held = b""

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in [*self._threads]:
            thread.join()

    def _run(self, target: object, *arguments: object) -> None:
        assert callable(target)
        thread = threading.Thread(target=target, args=arguments)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        pair = _Pair(client, server)
        self._pairs.append(pair)
        self._run(self._pump, pair, client, server, self.requests)
        self._run(self._pump, pair, server, client, self.answers)

    def _pump(self, pair: _Pair, source: socket.socket, sink: socket.socket, gate: threading.Event) -> None:
        pending = b""
        with source, suppress(OSError):
            while not pair.broken.is_set():
                if pending and gate.is_set():
                    sink.sendall(pending)
                    pending = b""
                if select.select([source], [], [], 0.02)[0]:
                    block = source.recv(65_536)
                    if not block:
                        break
                    pending += block
                    self._held += b"" if gate.is_set() else block
        pair.cut()


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A running proxy to a port, gone afterwards."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
