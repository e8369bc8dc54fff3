"""OpenTelemetry's SDK, set up for what is wanted: OTLP over HTTP, and an endpoint for Prometheus."""

import logging  # noqa: TID251 - no workflow imports this module
from collections.abc import Callable
from importlib.metadata import version

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry, start_http_server
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin, create_tracer_provider
from temporalio.runtime import MetricBuffer

from restore.telemetry import TelemetrySettings
from workflows.quiet_sampler import QuietSampler
from workflows.telemetry import Telemetry

_UPDATES = 10_000
"""Updates of the Temporal SDK's own metrics that may wait until they are taken over, once a second."""


def set_up(
    telemetry: Telemetry, service: str, settings: TelemetrySettings, tell: Callable[[str], object]
) -> None:
    """Have spans and metrics leave this process; `tell` is given what cannot be done."""
    # A receiver that is away is told once a batch, not once a try.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.ERROR)
    resource = _resource(service)
    if settings.traces:
        _trace(telemetry, resource)
    if readers := _readers(settings, tell):
        provider = MeterProvider(readers, resource, shutdown_on_exit=False)
        metrics.set_meter_provider(provider)
        telemetry.buffer = MetricBuffer(_UPDATES)
        telemetry.ends.append(provider.shutdown)


def _trace(telemetry: Telemetry, resource: Resource) -> None:
    """Send the spans of this process; those of a workflow are made once, however often it is replayed."""
    asked = TracerProvider(shutdown_on_exit=False).sampler
    provider = create_tracer_provider(QuietSampler(asked), resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    telemetry.plugins.append(OpenTelemetryPlugin(add_temporal_spans=True))
    telemetry.ends.append(provider.shutdown)


def _readers(settings: TelemetrySettings, tell: Callable[[str], object]) -> list[MetricReader]:
    readers: list[MetricReader] = []
    if settings.metrics:
        readers.append(PeriodicExportingMetricReader(OTLPMetricExporter()))
    if settings.prometheus:
        host, port = settings.prometheus
        registry = CollectorRegistry()
        try:
            start_http_server(port, host, registry)
        except OSError as error:  # restores matter more than their figures
            tell(f"OTEL_EXPORTER_PROMETHEUS_PORT: {host}:{port} cannot be served: {error.strerror}")
        else:
            readers.append(PrometheusMetricReader(scope_info_enabled=False, registry=registry))
    return readers


def _resource(service: str) -> Resource:
    """Who tells all this; what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before."""
    asked = Resource.create()
    unnamed = str(asked.attributes[SERVICE_NAME]).startswith("unknown_service")
    named = asked.merge(Resource({SERVICE_NAME: service})) if unnamed else asked
    return Resource({SERVICE_VERSION: version("milvus-restore")}).merge(named)
