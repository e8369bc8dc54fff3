"""The traces of a command: where OTEL_TRACES_EXPORTER asks for it, a restore's begins here."""

from dataclasses import replace
from functools import cache
from typing import Final

import typer

from restore.telemetry import TelemetrySettings
from workflows.telemetry import Telemetry, open_telemetry

PATIENCE: Final = 1.0
"""Seconds that the end of a command waits for a receiver: people wait for it."""


@cache
def telemetry() -> Telemetry:
    """Return what this process sends: spans at most, since a command is soon over."""
    settings = replace(TelemetrySettings.load(), metrics=False, prometheus=None)
    opened = open_telemetry("milvus-restore", settings, lambda sentence: typer.echo(sentence, err=True))
    opened.patience = PATIENCE
    return opened
