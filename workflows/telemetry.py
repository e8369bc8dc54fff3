"""Metrics and traces of this process: set up once at its start, flushed at its end; nothing by default."""

import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Final, Self

from temporalio.client import Plugin
from temporalio.runtime import MetricBuffer
from temporalio.worker import Interceptor

from activities.latency import Latencies
from restore.telemetry import TelemetrySettings
from stores.clients import Clients
from stores.job_states import publish_job_states

PATIENCE: Final = 3.0
"""Seconds that the end of a worker waits for receivers; what they have not taken by then is lost."""


@dataclass
class Telemetry:
    """What was set up. As a context it flushes at its end, waiting at most `patience` seconds."""

    plugins: list[Plugin] = field(default_factory=list)
    """For the Temporal client."""

    buffer: MetricBuffer | None = None
    """For the runtime of the Temporal client, where metrics are wanted."""

    ends: list[Callable[[], object]] = field(default_factory=list)
    """What flushes; nothing is recorded afterwards."""

    patience: float = PATIENCE

    def interceptors(self, clients: Clients) -> list[Interceptor]:
        """Return what measures a worker's activities, and have its jobs and tasks counted, where wanted."""
        if self.buffer is None:
            return []
        publish_job_states(clients)
        return [Latencies(clients)]

    def forwarding(self) -> AbstractAsyncContextManager[object]:
        """Take over the Temporal SDK's own metrics while entered; a runtime with the buffer must exist."""
        if self.buffer is None:
            return nullcontext()
        from temporalio.contrib.opentelemetry import MetricsExporter  # late, as below

        return MetricsExporter(self.buffer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        threads = [threading.Thread(target=end, daemon=True, name="telemetry-end") for end in self.ends]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(self.patience / len(threads))


def open_telemetry(service: str, settings: TelemetrySettings, tell: Callable[[str], object]) -> Telemetry:
    """Set up what the settings ask for; `tell` is given a sentence for each thing that cannot be done."""
    for complaint in settings.complaints:
        tell(complaint)
    telemetry = Telemetry()
    if settings.traces or settings.metrics or settings.prometheus:
        # Late, since the SDK takes most of a second to load, which commands are not to wait for.
        from workflows.exporters import set_up

        set_up(telemetry, service, settings, tell)
    return telemetry
