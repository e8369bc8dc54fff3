"""A restore that changes hands, one that nobody asked to tell, and receivers that are away."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from temporalio.client import Client

from samples.snapshot import WrittenSample
from starter.port import pick
from tests.e2e.otlp_receiver import attributes_of, receiving
from tests.e2e.site import Site, opened
from tests.e2e.slow_site import slow_site
from tests.e2e.telling import asked_for, restored, stop
from tests.e2e.valve import Valve
from tests.stores.faulty_s3 import Answer, Request, error
from tests.workflows.replaying import family
from workflows.plugin import RestorePlugin

LISTENING = "0A"
PERSISTENCE = 90
"""Seconds that one batch is tried to be sent for: who waited for it would be that late."""

PERSISTENT = {
    "OTEL_EXPORTER_OTLP_TIMEOUT": str(PERSISTENCE),
    "OTEL_METRIC_EXPORT_TIMEOUT": str(PERSISTENCE * 1_000),
    "OTEL_BSP_SCHEDULE_DELAY": "100",
    "OTEL_METRIC_EXPORT_INTERVAL": "100",
}


def test_a_restore_that_changes_hands_is_still_one_trace_and_its_retries_are_counted(
    servers: dict[str, str], small: WrittenSample, tmp_path: Path
) -> None:
    with receiving() as received:
        more = asked_for(received.endpoint, pick(["metrics"])["metrics"])
        with slow_site(servers, tmp_path, more) as slow:
            valve, throttle = Valve(), Throttle(3)
            slow.s3.fault = lambda request, server: throttle(request) or valve(request, server)
            target = slow.site.target(small.shape)
            started = slow.site.commands.restore("start", small.uri, target.name, "--detach", more=more)
            assert started.code == 0, started.err
            slow.half_copied(valve, 8)
            valve.open()
            stop(slow.site.worker)
            retries = [
                (attributes_of(point.attributes), point.as_int)
                for point in received.latest()["milvus_restore.retries"].sum.data_points
            ]
            slow.site.worker.start()
            told = slow.site.commands.outcome(f"restore/default/{target.name}")
            stop(slow.site.worker)

    assert told.result
    assert retries == [({"store": "s3", "class": "SlowDown"}, 3)]
    spans = received.spans()
    assert len({span.trace for span in spans}) == 1
    assert len({span.id for span in spans}) == len(spans)
    runs = Counter(span.name for span in spans if span.name.startswith("RunWorkflow:"))
    assert runs == {"RunWorkflow:RestoreSnapshot": 1, "RunWorkflow:CopySegment": 1}


class Throttle:
    """Answers the first copies with S3's word for too many."""

    def __init__(self, copies: int) -> None:
        self._left = [error(503, "SlowDown")] * copies

    def __call__(self, request: Request) -> Answer | None:
        if request.operation != "CopyObject":
            return None
        with suppress(IndexError):
            return self._left.pop()  # atomic, since requests come from many threads
        return None


async def test_without_it_nothing_listens_and_no_history_knows_of_it(
    site: Site, small: WrittenSample, temporal_address: str
) -> None:
    ended = restored(site, small, {})

    assert listening(site.worker.pid) == set()
    client = await Client.connect(temporal_address, plugins=[RestorePlugin()])
    histories = [each async for each in family(client, [(ended["workflow_id"], "")])]
    assert len(histories) > 1
    assert [each.workflow_id for each in histories if "_tracer-data" in each.to_json()] == []


def listening(pid: int) -> set[str]:
    """The addresses that a process listens on, as proc(5) writes them."""
    held = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {line[1] for line in lines if line[3] == LISTENING and f"socket:[{line[9]}]" in held}


@contextmanager
def away() -> Iterator[dict[str, str]]:
    """Receivers of which one takes connections and never answers, and one is not there; and a port in use."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=64)) as silent:
        port = silent.getsockname()[1]
        nowhere = pick(["absent"])["absent"]
        yield {
            **asked_for(f"http://127.0.0.1:{nowhere}", port),
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"http://127.0.0.1:{port}/v1/traces",
        }


def test_receivers_that_are_away_neither_fail_nor_hold_up_a_restore(
    servers: dict[str, str], small: WrittenSample, tmp_path: Path
) -> None:
    with away() as asked:
        more = asked | PERSISTENT
        with opened(servers, tmp_path, more) as site:
            begun = time.monotonic()
            result = restored(site, small, more)["result"]
            stop(site.worker)
            took = time.monotonic() - begun

    assert result["objects"] == small.objects
    assert took < PERSISTENCE / 2
    said = site.worker.log.read_text()
    assert "OTEL_EXPORTER_PROMETHEUS_PORT" in said  # the port was taken, which is told and no more
    assert "Traceback" not in said
