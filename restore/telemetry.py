"""What is to leave this process as metrics and traces, by the variables that OpenTelemetry itself names.

    OTEL_TRACES_EXPORTER=otlp                  # or none, the default here
    OTEL_METRICS_EXPORTER=otlp,prometheus      # or one of them, or none, the default here
    OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318
    OTEL_EXPORTER_PROMETHEUS_HOST=localhost    # and ..._PORT=9464

All others (headers, timeouts, samplers, intervals, resources) are read by OpenTelemetry's SDK. Programs of
all kinds share these variables, so what we cannot do is told and left out, and is no error.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

_SENT = "OTEL_EXPORTER_OTLP_PROTOCOL"
_SIGNALS: Final[Mapping[str, tuple[str, ...]]] = {
    "TRACES": ("otlp",),
    "METRICS": ("otlp", "prometheus"),
}


@dataclass(frozen=True, slots=True)
class TelemetrySettings:
    """Whether traces and metrics are sent, and where metrics are served (host and port), if at all."""

    traces: bool = False
    metrics: bool = False
    prometheus: tuple[str, int] | None = None
    complaints: tuple[str, ...] = ()
    """One sentence for each setting that cannot be followed."""

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Return what the environment asks for: nothing by default."""
        if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return cls()
        reader = _Reader(environment)
        return cls(
            traces="otlp" in reader.exporters("TRACES"),
            metrics="otlp" in reader.exporters("METRICS"),
            prometheus=reader.prometheus() if "prometheus" in reader.exporters("METRICS") else None,
            complaints=tuple(dict.fromkeys(reader.complaints)),
        )


class _Reader:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.complaints: list[str] = []

    def exporters(self, signal: str) -> set[str]:
        """Return what a signal leaves by, of what we know."""
        variable, known = f"OTEL_{signal}_EXPORTER", _SIGNALS[signal]
        asked = {name.strip().lower() for name in self._value(variable).split(",")} - {"", "none"}
        for name in sorted(asked.difference(known)):
            self._complain(f"{variable}: '{name}' is left out; known are {', '.join(known)} and none")
        if "otlp" in asked and not self._spoken(signal):
            asked.discard("otlp")
        return asked.intersection(known)

    def prometheus(self) -> tuple[str, int] | None:
        """Return host and port of the endpoint, None for a port that is none."""
        variable = "OTEL_EXPORTER_PROMETHEUS_PORT"
        port = self._value(variable) or "9464"
        if not port.isdecimal() or int(port) > 65_535:
            self._complain(f"{variable}: '{port}' is no port, so there is no endpoint")
            return None
        return self._value("OTEL_EXPORTER_PROMETHEUS_HOST") or "localhost", int(port)

    def _spoken(self, signal: str) -> bool:
        """Tell whether a signal is to be sent by the one protocol that we speak."""
        own = f"OTEL_EXPORTER_OTLP_{signal}_PROTOCOL"
        variable = own if self._value(own) else _SENT
        protocol = self._value(variable) or "http/protobuf"
        if protocol != "http/protobuf":
            self._complain(f"{variable}: '{protocol}' is not spoken, only http/protobuf; nothing is sent")
        return protocol == "http/protobuf"

    def _value(self, variable: str) -> str:
        return self._environment.get(variable, "").strip()

    def _complain(self, sentence: str) -> None:
        self.complaints.append(sentence)
