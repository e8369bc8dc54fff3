"""A restore's job and tasks in etcd, from its first to its last: as Milvus's tools see them meanwhile."""

from collections.abc import Sequence

import pytest
from temporalio.client import WorkflowFailureError

from formats.proto.data_pb2 import (
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
from restore.progress import RestoreResult
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from stores.etcd_watch import PutEvent
from stores.ids import FIRST
from tests.fidelity.ground import Ground

SHAPE = SampleShape(segments=2, l0_segments=1, megabytes=0.1, dim=4, partitions=1, shards=1)
JOBS, TASKS = "datacoord-meta/copy-segment-job/", "datacoord-meta/copy-segment-task/"
HOURS_3 = 3 * 3_600_000


class Story:
    """Every value that a restore's job and tasks have had, in order."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        mark = f"{ground.home.meta}/story"
        self._since = ground.etcd.put(mark, b"").header.revision + 1
        ground.etcd.delete(mark)

    def jobs(self) -> list[CopySegmentJob]:
        return [CopySegmentJob.FromString(value) for value in self._values(JOBS)]

    def tasks(self) -> list[CopySegmentTask]:
        return [CopySegmentTask.FromString(value) for value in self._values(TASKS)]

    def _values(self, kind: str) -> list[bytes]:
        """All writes so far; a last one of our own tells where they end."""
        prefix = f"{self._ground.home.meta}/{kind}"
        events, cancel = self._ground.etcd.watch_prefix(prefix, start_revision=self._since)
        end = self._ground.etcd.put(f"{prefix}end", b"").header.revision
        found: list[bytes] = []
        try:
            for event in events:
                if event.mod_revision == end:
                    return found
                if isinstance(event, PutEvent) and event.value:
                    found.append(event.value)
        finally:
            cancel()
            self._ground.etcd.delete(f"{prefix}end")
        return found


def stray(ground: Ground, collection: int, partition: int) -> str:
    """Put an object where only those of the next restore's first segment may lie; return its key."""
    counted = ground.home.scan(f"{ground.home.etcd_root}/milvus-restore/id-counter")
    job = int(counted[0][1].split()[0]) if counted else FIRST
    key = f"files/insert_log/{collection}/{partition}/{job + 1}/stray"
    ground.home.s3.put_object(Bucket=ground.home.bucket, Key=key, Body=b"stray")
    return key


def own_partition(written: WrittenSample, collection: int) -> int:
    """The target partition of a sample's first segment: a target's ids are as far apart as its source's."""
    return collection + written.manifests[0].partition_id - written.shape.collection_id


def run_lengths(states: Sequence[int]) -> list[int]:
    """The states in order, each once however often it was written."""
    return [state for number, state in enumerate(states) if number == 0 or states[number - 1] != state]


async def test_a_job_and_its_task_go_through_milvuss_states(ground: Ground) -> None:
    written, story = ground.sample(SHAPE), Story(ground)
    restored = await ground.restored(written)
    jobs, tasks = story.jobs(), story.tasks()
    expected = [CopySegmentJobPending, CopySegmentJobExecuting, CopySegmentJobCompleted]
    assert run_lengths([each.state for each in jobs]) == expected
    of_task = [CopySegmentTaskPending, CopySegmentTaskInProgress, CopySegmentTaskCompleted]
    assert run_lengths([each.state for each in tasks]) == of_task
    done, task = jobs[-1], tasks[-1]
    assert {str(each.job_id) for each in jobs} == {restored.result.job_id}
    assert {str(each.job_id) for each in tasks} == {restored.result.job_id}
    assert (done.copied_segments, done.total_rows) == (3, restored.result.rows)
    assert (done.cleanup_ts >> 18) == done.complete_ts // 10**6 + HOURS_3
    assert done.start_ts < task.complete_ts < done.complete_ts
    assert (bool(task.node_id), task.task_version, task.task_slot) == (True, 1, 1)


async def test_a_failed_restore_leaves_its_failed_job_and_why(ground: Ground) -> None:
    written, story = ground.sample(SHAPE), Story(ground)
    key: list[str] = []

    def prepare(collection: int) -> None:
        key.append(stray(ground, collection, own_partition(written, collection)))

    message = await ground.refused(written, "ObjectMismatch", copying=True, prepare=prepare)
    assert key[0] in message
    last, tasks = story.jobs()[-1], story.tasks()
    assert last.state == CopySegmentJobFailed
    assert last.reason == message
    assert last.cleanup_ts >> 18 > last.start_ts // 10**6 + HOURS_3
    assert tasks[-1].state == CopySegmentTaskFailed
    assert (tasks[-1].reason, bool(tasks[-1].node_id)) == (message, True)
    assert tasks[-1].complete_ts > tasks[-1].created_ts


async def test_a_kept_job_has_failed_until_a_later_run_goes_on_with_it(ground: Ground) -> None:
    written, story = ground.sample(SHAPE), Story(ground)
    target = ground.home.target(written.shape, "gone_on_with")
    request = {"snapshot": written.uri, "target": "gone_on_with", "on_failure": "keep"}

    async def run() -> RestoreResult:
        return await ground.client.execute_workflow(  # type: ignore[no-any-return]  # by name, as others start it
            "RestoreSnapshot",
            request,
            id="restore/default/gone_on_with",
            task_queue=ground.queue,
            result_type=RestoreResult,
        )

    key = stray(ground, target, own_partition(written, target))
    with pytest.raises(WorkflowFailureError):
        await run()
    kept, tasks = story.jobs()[-1], story.tasks()
    assert (kept.state, kept.cleanup_ts, kept.collection_id) == (CopySegmentJobFailed, 0, target)
    assert key in kept.reason
    assert (tasks[-1].state, tasks[-1].reason) == (CopySegmentTaskFailed, kept.reason)
    ground.home.s3.delete_object(Bucket=ground.home.bucket, Key=key)
    result = await run()
    done, task = story.jobs()[-1], story.tasks()[-1]
    assert str(done.job_id) == result.job_id == str(kept.job_id)
    assert (done.state, done.reason, done.copied_segments) == (CopySegmentJobCompleted, "", 3)
    assert (task.state, task.reason) == (CopySegmentTaskCompleted, "")
