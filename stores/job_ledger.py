"""The records of a restore's job and tasks in etcd, as Milvus's own restore keeps them.

Listing by state, and one way of changing: read, change, write, guarded by the restore's epoch.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from formats.job_records import (
    advanced_job,
    completed_task,
    executing_job,
    failed_task,
    is_expired,
    is_pending,
    pending_task,
    running_task,
)
from formats.keys import MetaKeys
from formats.proto.data_pb2 import (
    CopySegmentIDMapping,
    CopySegmentJob,
    CopySegmentTask,
    CopySegmentTaskCompleted,
    CopySegmentTaskState,
)
from restore.plan import Plan
from stores.ports import Guard, MetadataStore, Record, Transaction

Change = Callable[[Mapping[str, bytes]], Mapping[str, bytes]]
"""From the records that are there, by key, to those that are to be written; none when all is done."""

_DELETES = 100
"""Deletes per transaction, below etcd's 128 operations."""


class JobLedger:
    """The job and task records of one cluster."""

    def __init__(self, metadata: MetadataStore, keys: MetaKeys) -> None:
        self._metadata = metadata
        self._keys = keys

    def job(self, job_id: int) -> CopySegmentJob | None:
        """The job; None when it was never there or its retention is over."""
        record = self._metadata.get(self._keys.copy_segment_job(job_id))
        return CopySegmentJob.FromString(record.value) if record else None

    def tasks(self, job_id: int, state: "CopySegmentTaskState | None" = None) -> Iterator[CopySegmentTask]:
        """Yield the tasks of a job, only those of a state where one is given."""
        for _, task in self._tasks_of(job_id):
            if state is None or task.state == state:
                yield task

    def open_tasks(
        self, plan: Plan, mappings: Iterable[list[CopySegmentIDMapping]], guard: Guard, now: datetime
    ) -> bool:
        """Record every task of a plan as pending, then the job as executing; False when the guard fails.

        A late repeat finds the job further on, and sets no task back.
        """
        whole = self._keys.copy_segment_job(plan.job_id)
        job = self._metadata.get(whole)
        records = (
            (
                self._keys.copy_segment_task(task_id),
                pending_task(
                    task_id=task_id,
                    job_id=plan.job_id,
                    collection_id=plan.target.collection_id,
                    mappings=each,
                    now=now,
                ),
            )
            for task_id, each in zip(plan.task_ids, mappings, strict=True)
        )
        if job is None or is_pending(job.value):
            # Without success the guard or the job has changed meanwhile; the last step tells which.
            self._metadata.commit_all([guard, Guard(whole, job.mod_revision if job else 0)], records)
        return self._change(guard, [whole], _each(executing_job))

    def take_up(self, task_id: int, guard: Guard, *, worker: int) -> bool:
        """Record that a worker has begun with a task, unless it is done; False when the guard fails."""
        own = self._keys.copy_segment_task(task_id)
        return self._change(guard, [own], _each(lambda value: running_task(value, worker)))

    def fail(self, task_ids: Iterable[int], guard: Guard, *, reason: str, now: datetime) -> bool:
        """Record that tasks have failed, and why, unless they had ended; False when the guard fails."""
        failed = _each(lambda value: failed_task(value, reason, now))
        return all(self._change(guard, [self._keys.copy_segment_task(each)], failed) for each in task_ids)

    def complete(self, job_id: int, task_id: int, guard: Guard, *, now: datetime) -> bool:
        """Record that a task is done and count its segments in the job, once however often it is called.

        False when the guard does not hold.
        """
        own, whole = self._keys.copy_segment_task(task_id), self._keys.copy_segment_job(job_id)
        if self._metadata.get(own) is None:
            return False

        def change(there: Mapping[str, bytes]) -> Mapping[str, bytes]:
            task = CopySegmentTask.FromString(there.get(own, b""))
            if own not in there or task.state == CopySegmentTaskCompleted:
                return {}
            done = {own: completed_task(there[own], now)}
            if whole in there:
                done[whole] = advanced_job(there[whole], len(task.id_mappings))
            return done

        return self._change(guard, [own, whole], change)

    def forget_tasks(self, job_id: int, guards: list[Guard]) -> bool:
        """Remove the tasks of a job; False when a guard does not hold."""
        keys = [key for key, _ in self._tasks_of(job_id)]
        return self._remove(keys, guards)

    def sweep(self, now: datetime, mine: Callable[[int], bool]) -> int:
        """Remove the ended jobs, with their tasks, whose retention is over; return their number.

        Only jobs that `mine` answers for: those of Milvus's own restores are Milvus's to remove.
        """
        jobs = self._expired(now, mine)
        for record in jobs:
            self.forget_tasks(_id_of(record), [])
            self._remove([record.key], [Guard(record.key, record.mod_revision)])
        return len(jobs)

    def expired(self, now: datetime, mine: Callable[[int], bool]) -> int:
        """How many jobs `sweep` would remove."""
        return len(self._expired(now, mine))

    def _expired(self, now: datetime, mine: Callable[[int], bool]) -> list[Record]:
        jobs = self._metadata.scan(self._keys.copy_segment_jobs)
        return [record for record in jobs if is_expired(record.value, now) and mine(_id_of(record))]

    def _tasks_of(self, job_id: int) -> Iterator[tuple[str, CopySegmentTask]]:
        for record in self._metadata.scan(self._keys.copy_segment_tasks):
            task = CopySegmentTask.FromString(record.value)
            if task.job_id == job_id:
                yield record.key, task

    def _change(self, guard: Guard, keys: Sequence[str], change: Change) -> bool:
        """The one way records are changed: all of them at once, from what is there, under the guard.

        Another writer in between means another try; the guard tells when to stop.
        """
        while True:
            held = self._metadata.get(guard.key)
            if held is None or held.mod_revision != guard.mod_revision:
                return False
            found = {key: record for key in keys if (record := self._metadata.get(key)) is not None}
            puts = change({key: record.value for key, record in found.items()})
            guards = [guard, *(Guard(key, record.mod_revision) for key, record in found.items())]
            new = {key: value for key, value in puts.items() if key not in found or value != found[key].value}
            if not new or self._metadata.commit(Transaction(guards, new)):
                return True

    def _remove(self, keys: list[str], guards: list[Guard]) -> bool:
        batches = (keys[start : start + _DELETES] for start in range(0, len(keys), _DELETES))
        return all(self._metadata.commit(Transaction(guards, {}, batch)) for batch in batches)


def _each(change: Callable[[bytes], bytes]) -> Change:
    """The change of every record that is there."""
    return lambda there: {key: change(value) for key, value in there.items()}


def _id_of(record: Record) -> int:
    return int(record.key.rpartition("/")[2])
