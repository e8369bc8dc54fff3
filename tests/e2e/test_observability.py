"""One restore with everything on, as a collector and a Prometheus see it; and what is there without."""

import urllib.request
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, NumberDataPoint
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from temporalio.client import Client, WorkflowHistory
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin

from samples.snapshot import WrittenSample
from starter.port import pick
from tests.e2e.otlp_receiver import Received, Span, attributes_of, receiving
from tests.e2e.site import opened
from tests.e2e.telling import asked_for, restored, stop
from tests.telemetry import spans as in_memory
from tests.workflows.replaying import divergences, family
from workflows import WORKFLOWS
from workflows.plugin import RestorePlugin

TASK_LATENCY = "milvus_datacoord_copy_segment_task_latency"
JOB_LATENCY = "milvus_datacoord_copy_segment_job_latency"


@dataclass(frozen=True)
class Observed:
    """A restore that has ended, and all that was told of it by workers that have ended too."""

    received: Received
    scraped: dict[str, Metric]
    result: dict[str, Any]
    workflow_id: str
    tasks: int
    secret: str

    def spans(self, name: str) -> list[Span]:
        return [span for span in self.received.spans() if span.name == name]

    def sample(self, name: str, **labels: str) -> float:
        """A value that Prometheus was served."""
        (value,) = [
            sample.value
            for metric in self.scraped.values()
            for sample in metric.samples
            if sample.name == name and sample.labels == labels
        ]
        return value

    def pushed(self, name: str, **labels: str) -> NumberDataPoint | HistogramDataPoint:
        """A value as the collector was told last."""
        metric = self.received.latest()[name]
        kind = metric.WhichOneof("data")
        assert kind
        points = getattr(metric, kind).data_points
        (point,) = [each for each in points if attributes_of(each.attributes) == labels]
        assert isinstance(point, NumberDataPoint | HistogramDataPoint)
        return point


def number(point: NumberDataPoint | HistogramDataPoint) -> float:
    assert isinstance(point, NumberDataPoint)
    return point.as_int or point.as_double


@pytest.fixture(scope="module")
def observed(
    servers: dict[str, str], large: WrittenSample, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observed]:
    port = pick(["metrics"])["metrics"]
    with receiving() as received:
        more = asked_for(received.endpoint, port)
        with opened(servers, tmp_path_factory.mktemp("observed"), more) as site:
            ended = restored(site, large, more)
            page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
            stop(site.worker)
        tasks = sum(span.name == "RunWorkflow:CopySegment" for span in received.spans())
        yield Observed(
            received,
            {metric.name: metric for metric in text_string_to_metric_families(page)},
            ended["result"],
            ended["workflow_id"],
            tasks,
            servers["AWS_SECRET_ACCESS_KEY"],
        )


def test_a_restore_is_one_trace_from_the_command_to_the_last_request(observed: Observed) -> None:
    (root,) = observed.spans("StartWorkflow:RestoreSnapshot")
    found = observed.received.spans()

    assert root.parent == ""
    assert {span.trace for span in found} == {root.trace}
    assert {span.service for span in found} == {"milvus-restore", "milvus-restore-worker"}
    ids = {span.id for span in found}
    assert [span.name for span in found if span.parent not in ids] == [root.name]
    assert len(ids) == len(found)


def test_the_trace_goes_through_workflows_and_activities_to_both_stores(observed: Observed) -> None:
    by_id = {span.id: span for span in observed.received.spans()}

    def way(span: Span) -> list[str]:
        return [span.name, *(way(by_id[span.parent]) if span.parent else [])]

    above = ["RunWorkflow:RestoreSnapshot", "StartWorkflow:RestoreSnapshot"]
    task = ["RunWorkflow:CopySegment", "StartChildWorkflow:CopySegment", *above]
    ways = Counter(tuple(way(span)) for span in by_id.values())

    assert observed.tasks > 1
    copying = ["RunActivity:copy_objects", "StartActivity:copy_objects", *task]
    assert ways["S3/CopyObject", *copying] == observed.result["objects"]
    for name in ("S3/ListObjectsV2", "etcdserverpb.KV/Range", "etcdserverpb.KV/Txn"):
        assert ways[name, *copying]
    for name in ("plan_restore", "reserve_target", "publish_restore", "complete_restore"):
        here = [f"RunActivity:{name}", f"StartActivity:{name}", *above]
        assert ways["etcdserverpb.KV/Txn", *here]
        assert ways["S3/GetObject", *here]


def test_a_span_lasts_as_long_as_its_work_and_says_whose_it_is(observed: Observed) -> None:
    (run,) = observed.spans("RunWorkflow:RestoreSnapshot")
    (opening,) = observed.spans("RunActivity:open_restore")
    (publishing,) = observed.spans("RunActivity:complete_restore")
    assert run.begun < opening.begun < opening.ended < publishing.ended < run.ended
    assert abs((run.ended - run.begun) / 1e9 - observed.result["seconds"]) < 2
    assert run.attributes["temporalWorkflowID"] == observed.workflow_id
    copies = observed.spans("RunActivity:copy_objects")
    assert {span.attributes["milvus_restore.jobID"] for span in copies} == {observed.result["job_id"]}
    assert len({span.attributes["milvus_restore.taskID"] for span in copies}) == observed.tasks
    assert [span.name for span in observed.received.spans() if span.failed] == []


def test_watching_a_restore_leaves_no_trace(observed: Observed) -> None:
    assert [span.name for span in observed.received.spans() if "Query" in span.name] == []


def test_both_receivers_are_told_the_restores_own_counts(observed: Observed) -> None:
    result = observed.result
    copied = {"outcome": "copied"}
    for name, served, expected in (
        ("milvus_restore.objects", "milvus_restore_objects_total", result["objects"]),
        ("milvus_restore.bytes", "milvus_restore_bytes_total", result["bytes"]),
    ):
        assert observed.sample(served, **copied) == expected
        assert number(observed.pushed(name, **copied)) == expected
    assert observed.sample("milvus_restore_verified_objects_total") == result["objects"]
    assert number(observed.pushed("milvus_restore.verified_bytes")) == result["bytes"]


def test_jobs_and_tasks_are_told_by_state(observed: Observed) -> None:
    for kind, count in (("jobs", 1), ("tasks", observed.tasks)):
        for state, expected in (("completed", count), ("pending", 0), ("failed", 0)):
            labels = {"profile": "default", "state": state}
            assert observed.sample(f"milvus_restore_{kind}", **labels) == expected
            assert number(observed.pushed(f"milvus_restore.{kind}", **labels)) == expected


def test_latencies_have_milvus_names_stages_and_unit(observed: Observed) -> None:
    sums = {}
    for stage in ("pending", "executing", "done"):
        assert observed.sample(f"{TASK_LATENCY}_count", stage=stage) == observed.tasks
        sums[stage] = observed.sample(f"{TASK_LATENCY}_sum", stage=stage)
        point = observed.pushed(TASK_LATENCY, stage=stage)
        assert isinstance(point, HistogramDataPoint)
        assert (point.count, point.sum) == (observed.tasks, sums[stage])
    assert sums["pending"] + sums["executing"] == pytest.approx(sums["done"], abs=1)
    milliseconds = observed.result["seconds"] * 1_000
    assert observed.sample(f"{JOB_LATENCY}_count") == 1
    assert 0 < observed.sample(f"{JOB_LATENCY}_sum") < milliseconds
    assert 0 < sums["done"] < observed.tasks * milliseconds


def test_temporals_own_metrics_are_at_the_same_places(observed: Observed) -> None:
    name = "temporal_workflow_completed"
    points = observed.received.latest()[name].sum.data_points
    assert sum(point.as_int for point in points) == observed.tasks + 1
    # What is scraped may be a second behind.
    assert "temporal_worker_start" in observed.scraped


def test_no_object_and_no_secret_is_in_what_was_told(observed: Observed) -> None:
    for sent in observed.received.raw:
        assert observed.secret.encode() not in sent
    values = {
        value
        for metric in observed.scraped.values()
        for sample in metric.samples
        for value in sample.labels.values()
    }
    assert [value for value in values if "insert_log" in value or "s3://" in value] == []


async def test_its_histories_replay_with_traces_and_without(
    observed: Observed, temporal_address: str
) -> None:
    client = await Client.connect(temporal_address, plugins=[RestorePlugin()])
    histories = [each async for each in family(client, [(observed.workflow_id, "")])]
    assert len(histories) == observed.tasks + 1

    assert await divergences(each_of(histories)) == []
    in_memory()  # the plugin asks for a provider
    traced = OpenTelemetryPlugin(add_temporal_spans=True)
    assert await divergences(each_of(histories), WORKFLOWS, traced) == []


async def each_of(histories: list[WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history
