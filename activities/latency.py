"""How long tasks and jobs took, under Milvus's own names, buckets and unit.

Milvus keeps the same two histograms (pkg/metrics/datacoord_metrics.go), in milliseconds: a task is pending
from its record's creation until it is handed to a worker, then executing until it is complete; done is both
together. Here a task is handed out when its CopySegment workflow begins.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from opentelemetry import metrics
from temporalio import activity
from temporalio.service import RPCError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from formats.job_records import nanoseconds
from formats.proto.data_pb2 import CopySegmentJob, CopySegmentTask
from restore.errors import RestoreError
from restore.plan import PlanRef
from restore.steps import Completion, TaskRef
from stores.clients import Clients
from stores.staged_records import keys_of

_log = logging.getLogger("milvus-restore.activities")

# As an annotation, since Prometheus appends a unit to the name, and Milvus's names have none.
_UNIT = "{ms}"
_BUCKETS = (1, 100, 500, 1e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 3.6e6, 5e6, 1e7)
_MILLISECOND = 1_000_000  # nanoseconds

_meter = metrics.get_meter("milvus-restore")
_tasks = _meter.create_histogram(
    "milvus_datacoord_copy_segment_task_latency",
    _UNIT,
    "Milliseconds of a copy segment task, by stage: pending, executing, and done for both.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)
_jobs = _meter.create_histogram(
    "milvus_datacoord_copy_segment_job_latency",
    _UNIT,
    "Milliseconds of a copy segment job, from its record's creation to its completion.",
    explicit_bucket_boundaries_advisory=_BUCKETS,
)


class Latencies(Interceptor):
    """Measures what has just been completed, by its record; only installed where metrics are wanted."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Put the measuring behind an activity."""
        return _Measuring(next, self._clients)


class _Measuring(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, clients: Clients) -> None:
        super().__init__(following)
        self._clients = clients

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        result = await super().execute_activity(input)
        name = activity.info().activity_type
        try:
            if name == "complete_task":
                await self._task(input.args[0])
            elif name == "complete_restore":
                await self._job(input.args[0])
        except (RestoreError, RPCError) as error:  # what is done is done, measured or not
            _log.debug("%s was not measured: %s", name, error)
        return result

    async def _task(self, ref: TaskRef) -> None:
        begun = nanoseconds(await _workflow_start())
        task = CopySegmentTask.FromString(await self._blocking(lambda: self._task_record(ref)))
        if task.complete_ts:
            record_task(created=task.created_ts, begun=begun, complete=task.complete_ts)

    async def _job(self, completion: Completion) -> None:
        ref = completion.staged.plan
        job = CopySegmentJob.FromString(await self._blocking(lambda: self._job_record(ref)))
        if job.complete_ts:
            _jobs.record((job.complete_ts - job.start_ts) / _MILLISECOND)

    def _task_record(self, ref: TaskRef) -> bytes:
        plan = self._clients.archive(ref.plan.profile).plan(ref.plan)
        return self._read(ref.plan, keys_of(plan).copy_segment_task(plan.task_ids[ref.index]))

    def _job_record(self, ref: PlanRef) -> bytes:
        plan = self._clients.archive(ref.profile).plan(ref)
        return self._read(ref, keys_of(plan).copy_segment_job(plan.job_id))

    def _read(self, ref: PlanRef, key: str) -> bytes:
        record = self._clients.metadata(ref.profile).get(key)
        return record.value if record else b""

    async def _blocking(self, read: Callable[[], bytes]) -> bytes:
        return await asyncio.get_running_loop().run_in_executor(self._clients.work_threads, read)


def record_task(*, created: int, begun: int, complete: int) -> None:
    """Record the stages of a completed task, from its three moments in Unix nanoseconds.

    Clocks of several machines may disagree: no stage is shorter than nothing.
    """
    for stage, first, last in (
        ("pending", created, begun),
        ("executing", begun, complete),
        ("done", created, complete),
    ):
        _tasks.record(max(0, last - first) / _MILLISECOND, {"stage": stage})


async def _workflow_start() -> datetime:
    """When the workflow of the running activity began."""
    info = activity.info()
    workflow = activity.client().get_workflow_handle(info.workflow_id or "", run_id=info.workflow_run_id)
    return (await workflow.describe()).start_time.astimezone(UTC)
