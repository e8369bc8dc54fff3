"""The job's record, as Milvus's own restore writes it, so that Milvus's tools show ours alike.

Units (segment-restore.md, section 1.5): start_ts and complete_ts are Unix nanoseconds, cleanup_ts is a
hybrid timestamp (Unix milliseconds << 18).
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from formats.proto.common_pb2 import KeyValuePair
from formats.proto.data_pb2 import (
    CopySegmentIDMapping,
    CopySegmentJob,
    CopySegmentJobCompleted,
    CopySegmentJobExecuting,
    CopySegmentJobFailed,
    CopySegmentTask,
    CopySegmentTaskCompleted,
    CopySegmentTaskInProgress,
    CopySegmentTaskPending,
)

RETENTION = timedelta(hours=3)
"""How long a finished job's record is kept; Milvus's own default."""

_LOGICAL_BITS = 18


MAPPED_BYTES = 2**20
"""A job's record names its segments up to this size: etcd takes 1.5 MiB a request, with other keys in it."""


def executing_job(
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
    """The record of a job that has begun; without mappings where they would make it too large."""
    job = CopySegmentJob(
        job_id=job_id,
        collection_id=collection_id,
        state=CopySegmentJobExecuting,
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
    if job.ByteSize() > MAPPED_BYTES:
        job.ClearField("id_mappings")
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
    """The record of a task that nobody works on yet."""
    return CopySegmentTask(
        task_id=task_id,
        job_id=job_id,
        collection_id=collection_id,
        task_slot=1,
        state=CopySegmentTaskPending,
        id_mappings=mappings,
        created_ts=nanoseconds(now),
    ).SerializeToString(deterministic=True)


def running_task(value: bytes, worker: int) -> bytes:
    """The same task in the hands of a worker; `task_version` counts the times it was taken up."""
    task = CopySegmentTask.FromString(value)
    task.state = CopySegmentTaskInProgress
    task.node_id = worker
    task.task_version += 1
    return task.SerializeToString(deterministic=True)


def completed_task(value: bytes, now: datetime) -> bytes:
    """The same task, done: its segments are staged."""
    task = CopySegmentTask.FromString(value)
    task.state = CopySegmentTaskCompleted
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
