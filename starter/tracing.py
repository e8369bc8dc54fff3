"""The traces of a command: where OTEL_TRACES_EXPORTER asks for it, a restore's begins here."""

from dataclasses import replace
from functools import cache

import typer

from restore.telemetry import TelemetrySettings
from workflows.telemetry import Telemetry, open_telemetry


@cache
def telemetry() -> Telemetry:
    """Return what this process sends: spans at most, since a command is soon over."""
    settings = replace(TelemetrySettings.load(), metrics=False, prometheus=None)
    return open_telemetry("milvus-restore", settings, lambda sentence: typer.echo(sentence, err=True))
