"""Spans and metrics of the tests' own process, kept in memory.

OpenTelemetry takes one provider of each kind for the life of a process, so tests compare before and after.
"""

from functools import cache

from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from temporalio.contrib.opentelemetry import create_tracer_provider


@cache
def spans() -> InMemorySpanExporter:
    """Where this process's finished spans are from now on; clear it before use."""
    exporter = InMemorySpanExporter()
    provider = create_tracer_provider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@cache
def _reader() -> InMemoryMetricReader:
    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
    return reader


def measured(name: str, **labels: str) -> float:
    """The value of a counter or gauge, or the sum of a histogram, with these labels and no others."""
    return sum(_value(point) for point in _points(name) if dict(point.attributes or {}) == labels)


def _points(name: str) -> "list[NumberDataPoint | HistogramDataPoint]":
    found = _reader().get_metrics_data()
    return [
        point
        for resource in (found.resource_metrics if found else [])
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == name
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint | HistogramDataPoint)
    ]


def _value(point: "NumberDataPoint | HistogramDataPoint") -> float:
    return point.sum if isinstance(point, HistogramDataPoint) else point.value
