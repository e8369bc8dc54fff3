"""Time limits and retries of every activity.

A dead worker is noticed by its missing heartbeat, so its work is taken over within 40 s; start-to-close
bounds an attempt that hangs but beats, schedule-to-close the whole of an outage that we sit out.
"""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType


class Limits(TypedDict):
    """The part of an activity's options that is set here; a call adds its own summary."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


_HEARTBEAT = timedelta(seconds=15)
_OUTAGE = timedelta(hours=24)
_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(seconds=20)
)
_STOPPED = ActivityCancellationType.WAIT_CANCELLATION_COMPLETED


def _activity(attempt: timedelta) -> Limits:
    return Limits(
        start_to_close_timeout=attempt,
        schedule_to_close_timeout=_OUTAGE,
        heartbeat_timeout=_HEARTBEAT,
        retry_policy=_RETRY,
        # A rollback may begin only when nothing of the restore runs any more.
        cancellation_type=_STOPPED,
    )


OPEN = _activity(timedelta(minutes=2))
"""Reading one JSON and the catalog."""

PLAN = _activity(timedelta(hours=6))
"""Reading up to 100,000 manifests, listing their segments' folders, a dozen each, and writing the plan."""

STEP = _activity(timedelta(minutes=10))
"""Metadata of one task, or one small record."""

COPY = _activity(timedelta(hours=6))
"""At most 2,000 objects, or one large segment, on the slowest store."""

WHOLE = _activity(timedelta(hours=6))
"""A pass over the whole restore: verifying, publishing, removing."""

FLUSH = _activity(timedelta(minutes=30))
"""Milvus writes what it has in memory; its rate limit may let one flush through in ten seconds."""

BRIEF: Limits = {**STEP, "schedule_to_close_timeout": timedelta(minutes=2)}
"""What is good to have, and no reason to keep a restore waiting."""
