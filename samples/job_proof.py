"""What a restore leaves of itself in etcd: one completed job, and tasks that agree with it."""

from collections.abc import Iterator, Mapping

from formats.proto.data_pb2 import (
    CopySegmentJob,
    CopySegmentJobCompleted,
    CopySegmentJobState,
    CopySegmentTask,
    CopySegmentTaskCompleted,
    CopySegmentTaskState,
)
from samples.destination import Destination
from samples.finding import Finding
from samples.shape import SampleShape
from samples.world import World

JOBS, TASKS = "datacoord-meta/copy-segment-job", "datacoord-meta/copy-segment-task"


def job_records(before: World, after: World) -> dict[str, CopySegmentJob | CopySegmentTask]:
    """The job and task records that were not there before, by key."""
    found: dict[str, CopySegmentJob | CopySegmentTask] = {}
    for ids, job in after.messages(JOBS, CopySegmentJob, ids=1):
        found[f"{after.meta}/{JOBS}/{ids[0]}"] = job
    for ids, task in after.messages(TASKS, CopySegmentTask, ids=1):
        found[f"{after.meta}/{TASKS}/{ids[0]}"] = task
    return {key: record for key, record in found.items() if key not in before.records}


def job_completed(
    records: Mapping[str, CopySegmentJob | CopySegmentTask],
    shape: SampleShape,
    segments: Mapping[int, int],
    rows: int,
    to: Destination,
) -> Finding:
    """That one new job is completed and tells the truth, and that each of its tasks does."""
    jobs = {key: record for key, record in records.items() if isinstance(record, CopySegmentJob)}
    faults: list[str] = []
    for key, record in records.items():
        if isinstance(record, CopySegmentJob):
            faults += [f"{key}: {fault}" for fault in _job_faults(record, shape, segments, rows, to)]
        else:
            numbers = {job.job_id for job in jobs.values()}
            faults += [f"{key}: {fault}" for fault in _task_faults(record, numbers, segments, to)]
    if len(jobs) != 1:
        faults.append(f"{len(jobs)} new job records are there: {sorted(jobs)}")
    return Finding("completed job", 1, len(jobs), tuple(faults))


def _job_faults(
    job: CopySegmentJob, shape: SampleShape, segments: Mapping[int, int], rows: int, to: Destination
) -> Iterator[str]:
    if job.state != CopySegmentJobCompleted:
        yield f"state is {_state(CopySegmentJobState, job.state)}, expected CopySegmentJobCompleted"
    expected = {
        "collection_id": to.collection,
        "source_collection_id": shape.collection_id,
        "snapshot_name": shape.snapshot,
        "total_segments": len(segments),
        "copied_segments": len(segments),
        "total_rows": rows,
        "reason": "",
    }
    for name, value in expected.items():
        if getattr(job, name) != value:
            yield f"{name} is {getattr(job, name)!r}, expected {value!r}"
    yield from _mapping_faults(job, segments)


def _task_faults(
    task: CopySegmentTask, jobs: set[int], segments: Mapping[int, int], to: Destination
) -> Iterator[str]:
    if task.state != CopySegmentTaskCompleted:
        yield f"state is {_state(CopySegmentTaskState, task.state)}, expected CopySegmentTaskCompleted"
    if task.collection_id != to.collection:
        yield f"collection_id is {task.collection_id}, expected {to.collection}"
    if task.job_id not in jobs:
        yield f"job_id is {task.job_id}, expected one of {sorted(jobs)}"
    yield from _mapping_faults(task, segments)


def _mapping_faults(record: CopySegmentJob | CopySegmentTask, segments: Mapping[int, int]) -> Iterator[str]:
    for each in record.id_mappings:
        expected = segments.get(each.source_segment_id)
        if expected != each.target_segment_id:
            yield (
                f"id_mappings leads from {each.source_segment_id} to {each.target_segment_id}, "
                f"expected {expected}"
            )


def _state(kind: type[CopySegmentJobState] | type[CopySegmentTaskState], number: int) -> str:
    return kind.Name(number) if number in kind.values() else str(number)
