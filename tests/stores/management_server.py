"""An HTTP server that pauses and resumes as Milvus's management endpoint does, of the older or newer kind.

Milvus 2.3.5 has no such calls. Later ones keep the moment until which nothing is collected; the newest keep
one for each ticket, and resume nothing without it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

_FOLDER = "/management/datacoord/garbage_collection/"

Kind = Literal["older", "newer", "absent"]


@dataclass
class ManagementServer:
    """`paused` has the seconds of every pause that is in force, by its ticket, '' with the older kind.

    `refusal` is answered to each call, where there is one; `calls` lists what was asked for, in order.
    """

    kind: Kind
    endpoint: str = ""
    paused: dict[str, int] = field(default_factory=dict)
    refusal: tuple[int, str] | None = None
    calls: list[str] = field(default_factory=list)
    tickets: int = 0

    def answer(self, url: str) -> tuple[int, Any]:
        asked = urlsplit(url)
        what = asked.path.removeprefix(_FOLDER)
        fields = {key: values[0] for key, values in parse_qs(asked.query).items()}
        self.calls.append(what)
        if self.kind == "absent" or what not in ("pause", "resume") or what == asked.path:
            return 404, "404 page not found"
        if self.refusal:
            return self.refusal[0], {"msg": self.refusal[1]}
        return self._pause(int(fields["pause_seconds"])) if what == "pause" else self._resume(fields)

    def _pause(self, seconds: int) -> tuple[int, Any]:
        if self.kind == "older":
            self.paused[""] = seconds
            return 200, {"msg": "OK"}
        self.tickets += 1
        ticket = f"t+{self.tickets}/="
        self.paused[ticket] = seconds
        return 200, {"msg": "OK", "data": {"ticket": ticket}}

    def _resume(self, fields: dict[str, str]) -> tuple[int, Any]:
        self.paused.pop(fields.get("ticket", "") if self.kind == "newer" else "", None)
        return 200, {"msg": "OK"}


@contextmanager
def managing(kind: Kind) -> Iterator[ManagementServer]:
    """A server on a port of its own, gone afterwards."""
    server = ManagementServer(kind)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, told = server.answer(self.path)
            body = (told if isinstance(told, str) else json.dumps(told)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.endpoint = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
