import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Decision

from restore.telemetry import TelemetrySettings
from workflows.quiet_sampler import QuietSampler
from workflows.telemetry import Telemetry, open_telemetry

ROOT = Path(__file__).parents[2]


def decided(sampler: QuietSampler, name: str) -> Decision:
    return sampler.should_sample(None, 1, name).decision


@pytest.mark.parametrize("name", ["QueryWorkflow:progress", "HandleQuery:progress"])
def test_looking_at_a_restore_is_not_traced(name: str) -> None:
    assert decided(QuietSampler(ALWAYS_ON), name) is Decision.DROP


@pytest.mark.parametrize("name", ["StartWorkflow:RestoreSnapshot", "HandleUpdate:pause", "S3/CopyObject"])
def test_everything_else_is_left_to_the_sampler_that_was_asked_for(name: str) -> None:
    assert decided(QuietSampler(ALWAYS_ON), name) is Decision.RECORD_AND_SAMPLE
    assert decided(QuietSampler(ALWAYS_OFF), name) is Decision.DROP


def test_nothing_asked_for_is_nothing_set_up() -> None:
    told: list[str] = []
    telemetry = open_telemetry("test", TelemetrySettings(), told.append)
    assert (telemetry.plugins, telemetry.buffer, telemetry.ends, told) == ([], None, [], [])


def test_what_cannot_be_followed_is_told() -> None:
    told: list[str] = []
    open_telemetry("test", TelemetrySettings(complaints=("OTEL_TRACES_EXPORTER: 'zipkin'",)), told.append)
    assert told == ["OTEL_TRACES_EXPORTER: 'zipkin'"]


def test_without_telemetry_its_sdk_is_not_even_loaded() -> None:
    script = (
        "import sys, worker, starter.__main__\n"
        "from restore.telemetry import TelemetrySettings\n"
        "from workflows.telemetry import open_telemetry\n"
        "open_telemetry('test', TelemetrySettings.load({}), print)\n"
        "print(sorted(name for name in sys.modules if name.startswith('opentelemetry.sdk')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_end_waits_for_what_flushes() -> None:
    flushed: list[str] = []
    with Telemetry(ends=[lambda: flushed.append("spans"), lambda: flushed.append("metrics")]):
        assert flushed == []
    assert sorted(flushed) == ["metrics", "spans"]


def test_the_end_does_not_wait_for_receivers_that_never_answer() -> None:
    never = threading.Event()
    begun = time.monotonic()
    with Telemetry(ends=[never.wait, never.wait], patience=0.2):
        pass
    assert 0.1 < time.monotonic() - begun < 5
    never.set()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_end_that_fails_keeps_no_other_from_flushing() -> None:
    flushed: list[str] = []

    def fail() -> None:
        raise ConnectionError

    with Telemetry(ends=[fail, lambda: flushed.append("metrics")]):
        pass
    assert flushed == ["metrics"]
