"""A job's record and its tasks', as Milvus's own restore writes them, so that Milvus's tools show ours alike.

Units (segment-restore.md, section 1.5): start_ts, created_ts and complete_ts are Unix nanoseconds, timeout_ts
and cleanup_ts are hybrid timestamps (Unix milliseconds << 18).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from formats.proto.common_pb2 import KeyValuePair
from formats.proto.data_pb2 import (
    CopySegmentIDMapping,
    CopySegmentJob,
    CopySegmentJobCompleted,
    CopySegmentJobExecuting,
    CopySegmentJobFailed,
    CopySegmentJobPending,
    CopySegmentTask,
    CopySegmentTaskCompleted,
    CopySegmentTaskFailed,
    CopySegmentTaskInProgress,
    CopySegmentTaskPending,
)

RETENTION = timedelta(hours=3)
"""How long a finished job's record is kept; Milvus's own default."""

TIMEOUT = timedelta(days=1)
"""When Milvus would give a job up by its own default; ours goes on, but tools that look there find a time."""

_LOGICAL_BITS = 18

MAPPED_BYTES = 2**20
"""A record names its segments up to this size: etcd takes 1.5 MiB a request, with other keys in it."""

JOB_STATES: Mapping[int, str] = {
    CopySegmentJobPending: "pending",
    CopySegmentJobExecuting: "executing",
    CopySegmentJobCompleted: "completed",
    CopySegmentJobFailed: "failed",
}
TASK_STATES: Mapping[int, str] = {
    CopySegmentTaskPending: "pending",
    CopySegmentTaskInProgress: "in_progress",
    CopySegmentTaskCompleted: "completed",
    CopySegmentTaskFailed: "failed",
}
"""How people call the states, here and in metrics."""

Record = TypeVar("Record", CopySegmentJob, CopySegmentTask)

_ENDED = (CopySegmentTaskCompleted, CopySegmentTaskFailed)


def pending_job(
    *,
    job_id: int,
    collection_id: int,
    snapshot_name: str,
    source_collection_id: int,
    location: str,
    mappings: Sequence[CopySegmentIDMapping],
    rows: int,
    now: datetime,
) -> bytes:
    """The record of a job that has no tasks yet; without mappings where they would make it too large."""
    job = CopySegmentJob(
        job_id=job_id,
        collection_id=collection_id,
        state=CopySegmentJobPending,
        timeout_ts=hybrid(now + TIMEOUT),
        start_ts=nanoseconds(now),
        id_mappings=mappings,
        options=[
            KeyValuePair(key="copy_index", value="true"),
            KeyValuePair(key="source_type", value="snapshot"),
        ],
        total_segments=len(mappings),
        total_rows=rows,
        snapshot_name=snapshot_name,
        source_collection_id=source_collection_id,
        snapshot_s3_location=location,
    )
    return _without_many(job).SerializeToString(deterministic=True)


def _without_many(record: Record) -> Record:
    if record.ByteSize() > MAPPED_BYTES:
        record.ClearField("id_mappings")
    return record


def executing_job(value: bytes) -> bytes:
    """The same job with its tasks recorded; one that is further on stays as it is."""
    job = CopySegmentJob.FromString(value)
    if job.state == CopySegmentJobPending:
        job.state = CopySegmentJobExecuting
    return job.SerializeToString(deterministic=True)


def mapping(source: int, target: int, partition: int) -> CopySegmentIDMapping:
    """Which segment becomes which, in which target partition."""
    return CopySegmentIDMapping(source_segment_id=source, target_segment_id=target, partition_id=partition)


def pending_task(
    *,
    task_id: int,
    job_id: int,
    collection_id: int,
    mappings: Iterable[CopySegmentIDMapping],
    now: datetime,
) -> bytes:
    """The record of a task that nobody works on yet; without mappings where they would make it too large."""
    task = CopySegmentTask(
        task_id=task_id,
        job_id=job_id,
        collection_id=collection_id,
        task_slot=1,
        state=CopySegmentTaskPending,
        id_mappings=mappings,
        created_ts=nanoseconds(now),
    )
    return _without_many(task).SerializeToString(deterministic=True)


def running_task(value: bytes, worker: int) -> bytes:
    """The same task in the hands of a worker, unless it is done; `task_version` counts the times."""
    task = CopySegmentTask.FromString(value)
    if task.state == CopySegmentTaskCompleted:
        return value
    task.state = CopySegmentTaskInProgress
    task.node_id = worker
    task.task_version += 1
    task.reason = ""
    task.complete_ts = 0
    return task.SerializeToString(deterministic=True)


def completed_task(value: bytes, now: datetime) -> bytes:
    """The same task, done: its segments are staged."""
    task = CopySegmentTask.FromString(value)
    task.state = CopySegmentTaskCompleted
    task.reason = ""
    task.complete_ts = nanoseconds(now)
    return task.SerializeToString(deterministic=True)


def failed_task(value: bytes, reason: str, now: datetime) -> bytes:
    """The same task, failed with its reason, unless it has ended already. Unknown fields are kept."""
    task = CopySegmentTask.FromString(value)
    if task.state not in _ENDED:
        task.state = CopySegmentTaskFailed
        task.reason = reason
        task.complete_ts = nanoseconds(now)
    return task.SerializeToString(deterministic=True)


def advanced_job(value: bytes, segments: int) -> bytes:
    """The same job with so many more segments staged."""
    job = CopySegmentJob.FromString(value)
    job.copied_segments += segments
    return job.SerializeToString(deterministic=True)


def is_expired(value: bytes, now: datetime) -> bool:
    """True when the job has ended and its retention too."""
    job = CopySegmentJob.FromString(value)
    return bool(job.cleanup_ts) and job.cleanup_ts < hybrid(now)


def completed_job(value: bytes, now: datetime) -> bytes:
    """The same job, completed: all its segments are published. Unknown fields are kept."""
    job = CopySegmentJob.FromString(value)
    job.state = CopySegmentJobCompleted
    job.copied_segments = job.total_segments
    job.complete_ts = nanoseconds(now)
    job.cleanup_ts = hybrid(now + RETENTION)
    return job.SerializeToString(deterministic=True)


def failed_job(value: bytes, reason: str, now: datetime) -> bytes:
    """The same job, failed with its reason. Unknown fields are kept."""
    job = CopySegmentJob.FromString(value)
    job.state = CopySegmentJobFailed
    job.reason = reason
    job.cleanup_ts = hybrid(now + RETENTION)
    return job.SerializeToString(deterministic=True)


def kept_job(value: bytes, reason: str) -> bytes:
    """The same job, failed with its reason; its record stays until a later run goes on with it."""
    job = CopySegmentJob.FromString(value)
    job.state = CopySegmentJobFailed
    job.reason = reason
    return job.SerializeToString(deterministic=True)


def is_pending(value: bytes) -> bool:
    """True when the job's tasks are not all recorded yet."""
    return CopySegmentJob.FromString(value).state == CopySegmentJobPending


def is_completed(value: bytes) -> bool:
    """True when the job's segments are published."""
    return CopySegmentJob.FromString(value).state == CopySegmentJobCompleted


def is_ended(value: bytes) -> bool:
    """True when the job is completed or failed."""
    return CopySegmentJob.FromString(value).state in (CopySegmentJobCompleted, CopySegmentJobFailed)


def nanoseconds(moment: datetime) -> int:
    """Unix nanoseconds, to the microsecond."""
    return int((moment - datetime.fromtimestamp(0, UTC)) / timedelta(microseconds=1)) * 1_000


def hybrid(moment: datetime) -> int:
    """Milvus's hybrid timestamp with logical part 0."""
    return (nanoseconds(moment) // 1_000_000) << _LOGICAL_BITS
