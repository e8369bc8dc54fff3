"""A task's plan and its guarded way into etcd, for the activities that stage records."""

import os
from collections.abc import Iterable

from restore.plan import Plan, SegmentPlan
from restore.steps import TaskRef
from stores.clients import Clients
from stores.job_ledger import JobLedger
from stores.ports import Guard, Transaction
from stores.reservations import Reservations, now
from stores.staged_records import keys_of


class Staging:
    """Writes for one task; every write raises Fenced once the restore has lost its reservation."""

    def __init__(self, clients: Clients, task: TaskRef) -> None:
        archive = clients.archive(task.plan.profile)
        self.plan: Plan = archive.plan(task.plan)
        self.segments: list[SegmentPlan] = list(archive.segments(task.plan, task.index))
        self.metadata = clients.metadata(task.plan.profile)
        self._reservations = Reservations(self.metadata, keys_of(self.plan))
        self._guard = self._reservations.guard(self.plan.target.collection_id, task.epoch)
        self._ledger = JobLedger(self.metadata, keys_of(self.plan))
        self._index = task.index

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """Write the records and return their number."""
        written = self.metadata.commit_all([self._guard], records)
        if written is None:
            raise self._lost()
        return written

    def replace(self, key: str, value: bytes, mod_revision: int) -> bool:
        """Write one record unless it was changed since it was read; False when it was."""
        guards = [self._guard, Guard(key, mod_revision)]
        if self.metadata.commit(Transaction(guards, {key: value})):
            return True
        held = self._reservations.look(self.plan.target.collection_id)
        if held is None or held[1].mod_revision != self._guard.mod_revision:
            raise self._lost()
        return False

    def take_up(self) -> None:
        """Record that this process has begun with the task."""
        if not self._ledger.take_up(self._task_id, self._guard, worker=os.getpid()):
            raise self._lost()

    def complete(self) -> None:
        """Record that the task is done, and count its segments in the job."""
        if not self._ledger.complete(self.plan.job_id, self._task_id, self._guard, now=now()):
            raise self._lost()

    def fail(self, reason: str) -> None:
        """Record why the task has failed for good; without its reservation a restore has no say any more."""
        self._ledger.fail([self._task_id], self._guard, reason=reason, now=now())

    @property
    def _task_id(self) -> int:
        return self.plan.task_ids[self._index]

    def _lost(self) -> Exception:
        held = self._reservations.look(self.plan.target.collection_id)
        return self._reservations.lost(self.plan.target.collection_id, held[0] if held else None)
