"""The job's record, as Milvus's own restore writes it, so that Milvus's tools show ours alike.

Units (segment-restore.md, section 1.5): start_ts and complete_ts are Unix nanoseconds, cleanup_ts is a
hybrid timestamp (Unix milliseconds << 18).
"""

from datetime import UTC, datetime, timedelta

from formats.proto.common_pb2 import KeyValuePair
from formats.proto.data_pb2 import (
    CopySegmentJob,
    CopySegmentJobCompleted,
    CopySegmentJobExecuting,
    CopySegmentJobFailed,
)

RETENTION = timedelta(hours=3)
"""How long a finished job's record is kept; Milvus's own default."""

_LOGICAL_BITS = 18


def executing_job(
    *,
    job_id: int,
    collection_id: int,
    snapshot_name: str,
    source_collection_id: int,
    location: str,
    segments: int,
    rows: int,
    now: datetime,
) -> bytes:
    """The record of a job that has begun."""
    return CopySegmentJob(
        job_id=job_id,
        collection_id=collection_id,
        state=CopySegmentJobExecuting,
        start_ts=nanoseconds(now),
        options=[
            KeyValuePair(key="copy_index", value="true"),
            KeyValuePair(key="source_type", value="snapshot"),
        ],
        total_segments=segments,
        total_rows=rows,
        snapshot_name=snapshot_name,
        source_collection_id=source_collection_id,
        snapshot_s3_location=location,
    ).SerializeToString(deterministic=True)


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


def nanoseconds(moment: datetime) -> int:
    """Unix nanoseconds, to the microsecond."""
    return int((moment - datetime.fromtimestamp(0, UTC)) / timedelta(microseconds=1)) * 1_000


def hybrid(moment: datetime) -> int:
    """Milvus's hybrid timestamp with logical part 0."""
    return (nanoseconds(moment) // 1_000_000) << _LOGICAL_BITS
