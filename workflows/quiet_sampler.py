"""What is not worth a trace: looking at a restore, which whoever watches one does each second."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes

_QUERIES = ("QueryWorkflow:", "HandleQuery:")


class QuietSampler(Sampler):
    """Drops the spans of queries, and leaves all others to the sampler that OTEL_TRACES_SAMPLER names."""

    def __init__(self, asked: Sampler) -> None:
        self._asked = asked

    def should_sample(
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Return whether a span that begins is recorded."""
        if name.startswith(_QUERIES):
            return SamplingResult(Decision.DROP)
        return self._asked.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Return what it does, in one word."""
        return f"QuietSampler{{{self._asked.get_description()}}}"
