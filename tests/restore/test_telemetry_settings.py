import pytest

from restore.telemetry import TelemetrySettings


def test_nothing_leaves_by_default() -> None:
    assert TelemetrySettings.load({}) == TelemetrySettings()
    elsewhere = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_EXPORTER_PROMETHEUS_PORT": "1"}
    assert TelemetrySettings.load(elsewhere) == TelemetrySettings()


@pytest.mark.parametrize("none", ["none", "NONE", "", " "])
def test_none_is_nothing(none: str) -> None:
    asked = {"OTEL_TRACES_EXPORTER": none, "OTEL_METRICS_EXPORTER": none}
    assert TelemetrySettings.load(asked) == TelemetrySettings()


def test_each_signal_is_asked_for_by_itself() -> None:
    assert TelemetrySettings.load({"OTEL_TRACES_EXPORTER": "otlp"}) == TelemetrySettings(traces=True)
    assert TelemetrySettings.load({"OTEL_METRICS_EXPORTER": "OTLP"}) == TelemetrySettings(metrics=True)
    served = TelemetrySettings(prometheus=("localhost", 9464))
    assert TelemetrySettings.load({"OTEL_METRICS_EXPORTER": "prometheus"}) == served


def test_metrics_may_leave_both_ways_and_the_endpoint_be_elsewhere() -> None:
    found = TelemetrySettings.load(
        {
            "OTEL_METRICS_EXPORTER": "otlp, prometheus",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "0.0.0.0",
            "OTEL_EXPORTER_PROMETHEUS_PORT": "9999",
        }
    )
    assert found == TelemetrySettings(metrics=True, prometheus=("0.0.0.0", 9999))


def test_the_switch_for_all_of_it_is_obeyed() -> None:
    asked = {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_METRICS_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}
    assert TelemetrySettings.load(asked) == TelemetrySettings()


def test_what_is_not_known_is_told_and_left_out() -> None:
    found = TelemetrySettings.load({"OTEL_TRACES_EXPORTER": "zipkin,otlp"})
    (complaint,) = found.complaints
    assert found.traces
    assert "OTEL_TRACES_EXPORTER" in complaint
    assert "'zipkin'" in complaint


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
def test_another_protocol_is_told_and_nothing_is_sent(variable: str) -> None:
    found = TelemetrySettings.load({"OTEL_TRACES_EXPORTER": "otlp", variable: "grpc"})
    (complaint,) = found.complaints
    assert not found.traces
    assert variable in complaint
    assert "http/protobuf" in complaint


def test_the_signals_own_protocol_goes_before_the_common_one() -> None:
    found = TelemetrySettings.load(
        {
            "OTEL_TRACES_EXPORTER": "otlp",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        }
    )
    assert found == TelemetrySettings(traces=True)


@pytest.mark.parametrize("port", ["no", "-1", "65536"])
def test_a_port_that_is_none_is_told_and_there_is_no_endpoint(port: str) -> None:
    asked = {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": port}
    found = TelemetrySettings.load(asked)
    assert found.prometheus is None
    assert [f"'{port}'" in complaint for complaint in found.complaints] == [True]
