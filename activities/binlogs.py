"""update_binlogs: a task's segments are registered, hidden, with their insert, stats, delta and BM25 logs."""

from temporalio import activity

from activities.pulse import Pulse, run_blocking
from activities.staging import Staging
from formats.records import binlog_records
from restore.steps import TaskRef
from stores.clients import Clients
from stores.staged_records import hidden_segment, keys_of, segment_key


class BinlogActivities:
    """Writes under the restore's reservation; may be repeated."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def update_binlogs(self, task: TaskRef) -> int:
        """Write the records and return their number; Fenced when the reservation is lost."""
        return await run_blocking(self._clients.work_threads, lambda pulse: self._update(task, pulse))

    @activity.defn
    async def complete_task(self, task: TaskRef) -> None:
        """Record the task as done in its job; Fenced when the reservation is lost."""
        await run_blocking(self._clients.work_threads, lambda _: Staging(self._clients, task).complete())

    def _update(self, task: TaskRef, pulse: Pulse) -> int:
        staging = Staging(self._clients, task)
        written = 0
        for segment in staging.segments:
            pulse.check()
            records = binlog_records(segment.source, segment.target, keys_of(staging.plan))
            records[segment_key(staging.plan, segment)] = hidden_segment(staging.plan, segment)
            written += staging.put(records.items())
        return written
