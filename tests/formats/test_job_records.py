"""Records of jobs and tasks: their sizes, and how one becomes the next."""

from datetime import UTC, datetime, timedelta

from formats.job_records import (
    MAPPED_BYTES,
    completed_task,
    executing_job,
    failed_task,
    kept_job,
    mapping,
    pending_job,
    pending_task,
    running_task,
)
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
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
UNKNOWN = b"\xfa\x3f\x01x"
"""Field 1,023 with the text x, as a newer Milvus may write."""


def job(mappings: list[CopySegmentIDMapping]) -> bytes:
    return pending_job(
        job_id=1,
        collection_id=2,
        snapshot_name="n",
        source_collection_id=3,
        location="l",
        mappings=mappings,
        rows=4,
        now=NOW,
    )


def task(mappings: list[CopySegmentIDMapping]) -> bytes:
    return pending_task(task_id=5, job_id=1, collection_id=2, mappings=mappings, now=NOW)


def many(count: int) -> list[CopySegmentIDMapping]:
    return [mapping(2**62 + number, 2**40 + number, 2**61) for number in range(count)]


def test_records_name_their_segments_as_long_as_etcd_takes_them() -> None:
    some, all_of_them = many(1_000), many(60_000)
    for record, kind in ((job, CopySegmentJob), (task, CopySegmentTask)):
        assert len(kind.FromString(record(some)).id_mappings) == 1_000
        large = record(all_of_them)
        assert len(large) < 1_000 < MAPPED_BYTES
        assert len(kind.FromString(large).id_mappings) == 0
    assert CopySegmentJob.FromString(job(all_of_them)).total_segments == 60_000


def test_a_job_begins_pending_with_its_times() -> None:
    found = CopySegmentJob.FromString(job(many(1)))
    assert found.state == CopySegmentJobPending
    assert found.start_ts == 1_767_225_600 * 10**9
    assert found.timeout_ts == (1_767_225_600_000 + 86_400_000) << 18
    assert (found.cleanup_ts, found.complete_ts) == (0, 0)


def test_only_a_pending_job_begins_to_execute() -> None:
    began = CopySegmentJob.FromString(executing_job(job([])))
    assert began.state == CopySegmentJobExecuting
    began.state = CopySegmentJobCompleted
    done = began.SerializeToString(deterministic=True)
    assert executing_job(done) == done


def test_a_task_tells_who_had_it_when_it_ended_and_why() -> None:
    failed = CopySegmentTask.FromString(failed_task(running_task(task([]), 77), "torn", LATER))
    assert (failed.state, failed.reason, failed.node_id) == (CopySegmentTaskFailed, "torn", 77)
    assert failed.complete_ts - failed.created_ts == 5 * 10**9


def test_the_first_end_of_a_task_counts() -> None:
    failed = failed_task(running_task(task([]), 77), "torn", NOW)
    assert failed_task(failed, "something else", LATER) == failed
    done = completed_task(running_task(task([]), 77), NOW)
    assert failed_task(done, "late", LATER) == done


def test_a_task_that_is_taken_up_again_has_not_ended() -> None:
    again = CopySegmentTask.FromString(running_task(failed_task(task([]), "torn", NOW), 78))
    assert (again.state, again.reason, again.complete_ts) == (CopySegmentTaskInProgress, "", 0)
    assert (again.node_id, again.task_version) == (78, 1)
    done = CopySegmentTask.FromString(completed_task(again.SerializeToString(), LATER))
    assert (done.state, done.reason) == (CopySegmentTaskCompleted, "")


def test_a_kept_job_has_failed_and_has_no_time_to_be_removed() -> None:
    kept = CopySegmentJob.FromString(kept_job(executing_job(job([])), "torn"))
    assert (kept.state, kept.reason, kept.cleanup_ts) == (CopySegmentJobFailed, "torn", 0)


def test_what_a_newer_milvus_wrote_is_kept() -> None:
    for change in (executing_job, lambda value: kept_job(value, "r")):
        assert UNKNOWN in change(job([]) + UNKNOWN)
    for change in (
        lambda value: running_task(value, 1),
        lambda value: failed_task(value, "r", NOW),
        lambda value: completed_task(value, NOW),
    ):
        assert UNKNOWN in change(task([]) + UNKNOWN)
