"""What stands where a collector does: it takes OTLP over HTTP, and keeps OpenTelemetry's own messages."""

import gzip
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

Attributes = dict[str, str]

_PATHS: Final[dict[str, tuple[type[Message], type[Message]]]] = {
    "/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
    "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
}


@dataclass(frozen=True)
class Span:
    """A span as it was received."""

    trace: str
    id: str
    parent: str
    name: str
    service: str
    attributes: Attributes
    begun: int
    ended: int
    failed: bool


@dataclass
class Received:
    """Everything that was sent so far, and the headers that came with it."""

    endpoint: str = ""
    traces: list[ExportTraceServiceRequest] = field(default_factory=list)
    metrics: list[ExportMetricsServiceRequest] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)

    def take(self, request: Message, body: bytes) -> None:
        self.raw.append(body)
        if isinstance(request, ExportTraceServiceRequest):
            self.traces.append(request)
        if isinstance(request, ExportMetricsServiceRequest):
            self.metrics.append(request)

    def spans(self) -> list[Span]:
        return [
            Span(
                trace=span.trace_id.hex(),
                id=span.span_id.hex(),
                parent=span.parent_span_id.hex(),
                name=span.name,
                service=service_of(each.resource),
                attributes=attributes_of(span.attributes),
                begun=span.start_time_unix_nano,
                ended=span.end_time_unix_nano,
                failed=span.status.code == span.status.STATUS_CODE_ERROR,
            )
            for request in self.traces
            for each in request.resource_spans
            for scope in each.scope_spans
            for span in scope.spans
        ]

    def latest(self) -> dict[str, Metric]:
        """Every metric by name, as it was last told; all are cumulative."""
        return {
            metric.name: metric
            for request in self.metrics
            for each in request.resource_metrics
            for scope in each.scope_metrics
            for metric in scope.metrics
        }


def attributes_of(pairs: Iterable[KeyValue]) -> Attributes:
    return {pair.key: pair.value.string_value for pair in pairs}


def service_of(resource: Resource) -> str:
    return attributes_of(resource.attributes)["service.name"]


@contextmanager
def receiving() -> Iterator[Received]:
    """A receiver on a free port, gone afterwards."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            asked, answer = _PATHS[self.path]
            received.take(asked.FromString(body), body)
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(answer().SerializeToString())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
