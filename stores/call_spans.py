"""One span for each request to a store, where the work that it belongs to is traced.

Outside of a recorded span nothing is made: a look-up of one context variable is all that it costs.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from opentelemetry import trace
from opentelemetry.trace import SpanKind

T = TypeVar("T")

_tracer = trace.get_tracer("milvus-restore")


def spanned(
    service: str, method: str, attributes: Callable[[], Mapping[str, str]], call: Callable[[], T]
) -> T:
    """Return what the call returns; its span is named `service/method`, as OpenTelemetry names remote calls.

    `attributes` is only asked for a span that is recorded. A failure is told by type and message alone:
    a trace of the stack might show what a lower layer had in its hands.
    """
    if not trace.get_current_span().is_recording():
        return call()
    told = {"rpc.service": service, "rpc.method": method, **attributes()}
    name = f"{service}/{method}"
    with _tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=told, record_exception=False):
        return call()
