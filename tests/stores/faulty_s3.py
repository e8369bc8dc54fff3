"""An HTTP proxy before a real S3 server that fails in the ways in which S3 fails."""

import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from stores.s3_connection import Access


@dataclass(frozen=True)
class Request:
    """What the client asked for."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def operation(self) -> str:
        """The S3 operation, as far as the tests tell them apart."""
        query = urlsplit(self.path).query
        if self.method == "PUT" and "x-amz-copy-source" in self.headers:
            return "UploadPartCopy" if "uploadId" in query else "CopyObject"
        if self.method == "PUT":
            return "UploadPart" if "uploadId" in query else "PutObject"
        if self.method == "POST":
            return next(name for sign, name in _POSTS.items() if sign in query)
        if self.method == "GET" and (
            listing := next((name for sign, name in _LISTS.items() if sign in query), "")
        ):
            return listing
        return {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}[self.method]


@dataclass(frozen=True)
class Answer:
    """What the server said; `sent` is how much of the body is let through, None for all."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    sent: int | None = None


_POSTS = {
    "uploadId=": "CompleteMultipartUpload",
    "uploads": "CreateMultipartUpload",
    "delete": "DeleteObjects",
}
_LISTS = {"list-type=2": "ListObjectsV2", "uploads": "ListMultipartUploads"}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}

Server = Callable[[Request], Answer]

# Given the request and the way to the server: an answer, or None to drop the connection.
Fault = Callable[[Request, Server], Answer | None]


def error(status: int, code: str, **headers: str) -> Answer:
    """Return S3's answer for an error."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>as the test wants it</Message></Error>"
    return Answer(status, {"Content-Type": "application/xml", **headers}, body.encode())


class FaultyS3:
    """Listens on a free port of 127.0.0.1 and passes everything on, but for the fault that is set."""

    def __init__(self, access: Access) -> None:
        self.fault: Fault = lambda request, server: server(request)
        self.requests: list[Request] = []
        self._server = str(urlsplit(access.endpoint).netloc)
        self._listener = _Listener(self)
        self.access = replace(access, endpoint=f"http://127.0.0.1:{self._listener.server_port}")

    def count(self, operation: str) -> int:
        """Return how often an operation was asked for."""
        return sum(request.operation == operation for request in self.requests)

    def answer(self, request: Request) -> Answer | None:
        """Return what the client is to get, None when it is to get nothing."""
        self.requests.append(request)
        return self.fault(request, self._pass_on)

    def run(self) -> None:
        """Serve until `close`."""
        self._listener.serve_forever(poll_interval=0.02)

    def close(self) -> None:
        """Stop listening, and leave neither connection nor thread behind."""
        self._listener.shutdown()
        self._listener.cut()
        self._listener.server_close()

    def _pass_on(self, request: Request) -> Answer:
        server = HTTPConnection(self._server, timeout=30)
        try:
            server.request(request.method, request.path, request.body or None, request.headers)
            answer = server.getresponse()
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP_BY_HOP}
            if request.method == "HEAD":
                headers["Content-Length"] = answer.getheader("Content-Length", "0")
            return Answer(answer.status, headers, answer.read())
        except HTTPException as broken:
            raise ConnectionResetError(str(broken)) from broken
        finally:
            server.close()


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # so that server_close waits for them
    request_queue_size = 128  # a worker connects with all its threads at once

    def __init__(self, proxy: FaultyS3) -> None:
        self.proxy = proxy
        self._connections: list[socket.socket] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._connections.append(connection)
        return connection, address

    def cut(self) -> None:
        """Break every connection, those that clients keep for later included."""
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def handle_one_request(self) -> None:
        try:
            self._serve_one()
        except ConnectionError:
            self.close_connection = True

    def _serve_one(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        kept = {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
        self._reply(self.server.proxy.answer(Request(self.command, self.path, kept, body)))

    def _reply(self, answer: Answer | None) -> None:
        if answer is None:
            self.close_connection = True
            return
        self.send_response_only(answer.status)
        length = {} if "Content-Length" in answer.headers else {"Content-Length": str(len(answer.body))}
        for name, value in {**answer.headers, **length}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body[: answer.sent])
        self.close_connection = self.close_connection or answer.sent is not None


@contextmanager
def faulty(access: Access) -> Iterator[FaultyS3]:
    """Run a proxy before the server, and end it."""
    proxy = FaultyS3(access)
    thread = threading.Thread(target=proxy.run)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join()


def pass_on(request: Request, server: Server) -> Answer:
    """Be no fault."""
    return server(request)


def once(operation: str, fault: Fault) -> Fault:
    """Return the fault for the first request of an operation only."""
    left = iter([fault])

    def answer(request: Request, server: Server) -> Answer | None:
        hit = next(left, None) if request.operation == operation else None
        return hit(request, server) if hit else server(request)

    return answer


def always(operation: str, fault: Fault) -> Fault:
    """Return the fault for every request of an operation."""
    return lambda request, server: (fault if request.operation == operation else pass_on)(request, server)


def answering(answer: Answer) -> Fault:
    """Return the fault that never reaches the server."""
    return lambda request, server: answer


def lost(request: Request, server: Server) -> None:
    """Do what was asked and drop the answer."""
    server(request)


class Storm:
    """Refuses 30 % of the requests with SlowDown, and drops the answers to 5 % after they were executed."""

    def __init__(self) -> None:
        self._dice, self._lock = random.Random(7), threading.Lock()
        self.refused = self.dropped = 0

    def __call__(self, request: Request, server: Server) -> Answer | None:
        with self._lock:
            roll = self._dice.random()
            self.refused += roll < 0.30
            self.dropped += 0.30 <= roll < 0.35
        if roll < 0.30:
            return error(503, "SlowDown")
        answer = server(request)
        return None if roll < 0.35 else answer
