"""Metrics and traces of this process: set up once at its start, flushed at its end; nothing by default."""

import os  # noqa: TID251 - no workflow imports this module
import socket
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from importlib.metadata import version
from typing import Final

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from prometheus_client import CollectorRegistry, start_http_server
from temporalio.contrib.opentelemetry import MetricsExporter, OpenTelemetryPlugin, create_tracer_provider
from temporalio.runtime import MetricBuffer

from restore.telemetry import TelemetrySettings
from workflows.quiet_sampler import QuietSampler

FLUSH_SECONDS: Final = 3.0
"""The end of a process waits for receivers no longer than this; what they have not taken by then is lost."""

_UPDATES = 10_000
"""Updates of the Temporal SDK's own metrics that may wait until they are taken over, once a second."""


class Telemetry:
    """What was set up: `plugins` for the Temporal client, `buffer` for its runtime's metrics, if wanted."""

    def __init__(self) -> None:
        self.plugins: list[OpenTelemetryPlugin] = []
        self.buffer: MetricBuffer | None = None
        self._ends: list[Callable[[], object]] = []

    def trace(self, resource: Resource) -> None:
        """Send the spans of this process; those of workflows are made once, however often they replay."""
        asked = TracerProvider(shutdown_on_exit=False).sampler
        provider = create_tracer_provider(QuietSampler(asked), resource, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        trace.set_tracer_provider(provider)
        self.plugins.append(OpenTelemetryPlugin(add_temporal_spans=True))
        self._ends.append(provider.shutdown)

    def measure(self, readers: list[MetricReader], resource: Resource) -> None:
        """Have the readers tell the metrics of this process, the Temporal SDK's own among them."""
        provider = MeterProvider(readers, resource, shutdown_on_exit=False)
        metrics.set_meter_provider(provider)
        self.buffer = MetricBuffer(_UPDATES)
        self._ends.append(provider.shutdown)

    def forwarding(self) -> AbstractAsyncContextManager[object]:
        """Take over the Temporal SDK's own metrics while entered; a runtime with the buffer must exist."""
        return MetricsExporter(self.buffer) if self.buffer else nullcontext()

    def close(self) -> None:
        """Flush, waiting at most FLUSH_SECONDS; nothing is recorded afterwards."""
        threads = [threading.Thread(target=end, daemon=True, name="telemetry-end") for end in self._ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(FLUSH_SECONDS / len(threads))


def open_telemetry(service: str, settings: TelemetrySettings, tell: Callable[[str], object]) -> Telemetry:
    """Set up what the settings ask for; `tell` is given a sentence for each thing that cannot be done."""
    for complaint in settings.complaints:
        tell(complaint)
    telemetry = Telemetry()
    readers = _readers(settings, tell)
    if settings.traces:
        telemetry.trace(_resource(service))
    if readers:
        telemetry.measure(readers, _resource(service))
    return telemetry


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
            tell(
                f"no metrics are served at {host}:{port}: {error.strerror}; see OTEL_EXPORTER_PROMETHEUS_PORT"
            )
        else:
            readers.append(PrometheusMetricReader(scope_info_enabled=False, registry=registry))
    return readers


def _resource(service: str) -> Resource:
    """Who tells all this; what OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say goes before."""
    ours = {
        SERVICE_NAME: service,
        SERVICE_VERSION: version("milvus-restore"),
        SERVICE_INSTANCE_ID: f"{os.getpid()}@{socket.gethostname()}",
    }
    asked = Resource.create().attributes
    unsaid = {key for key in ours if str(asked.get(key, "unknown_service")).startswith("unknown_service")}
    return Resource.create({key: ours[key] for key in unsaid})
