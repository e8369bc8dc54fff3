"""What makes processes tell everything, and a restore that is told of."""

from typing import Any

from samples.snapshot import WrittenSample
from tests.e2e.site import Site
from tests.e2e.waiting import eventually
from tests.e2e.worker_process import WorkerProcess


def asked_for(endpoint: str, port: int) -> dict[str, str]:
    """The environment of a worker and of a command line that tell everything."""
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp,prometheus",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
        "OTEL_EXPORTER_PROMETHEUS_PORT": str(port),
    }


def restored(site: Site, written: WrittenSample, more: dict[str, str]) -> dict[str, Any]:
    """Restore the sample with the command line, to the end; return what it says."""
    target = site.target(written.shape)
    ended = site.commands.restore("start", written.uri, target.name, "-o", "json", more=more)
    assert ended.code == 0, ended.err
    told: dict[str, Any] = ended.json
    return told


def stop(worker: WorkerProcess) -> None:
    worker.ask_to_end()
    eventually(worker.has_ended, "the worker has ended")
    assert worker.exit_code == 0
