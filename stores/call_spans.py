"""One span for each request to a store, where the work that it belongs to is traced.

Outside of a recorded span nothing is made: a look-up of one context variable is all that it costs.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from restore.errors import ObjectMissing

T = TypeVar("T")

_tracer = trace.get_tracer("milvus-restore")


def spanned(
    service: str, method: str, attributes: Callable[[], Mapping[str, str]], call: Callable[[], T]
) -> T:
    """Return what the call returns; its span is named `service/method`, as OpenTelemetry names remote calls.

    `attributes` is only asked for a span that is recorded. A failure is told by type and message alone:
    a trace of the stack might show what a lower layer had in its hands. That nothing is there is an answer.
    """
    if not trace.get_current_span().is_recording():
        return call()
    told = {"rpc.service": service, "rpc.method": method, **attributes()}
    with _tracer.start_as_current_span(
        f"{service}/{method}",
        kind=SpanKind.CLIENT,
        attributes=told,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            return call()
        except Exception as error:
            span.set_attribute("error.type", type(error).__name__)
            if not isinstance(error, ObjectMissing):
                span.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
            raise
