"""The index records of a task: vector and scalar, text, and JSON, three steps that run side by side."""

from collections.abc import Callable, Mapping

from temporalio import activity

from activities.pulse import Pulse, run_blocking
from activities.staging import Staging
from formats.records import index_records, json_stats, text_stats, with_json_stats, with_text_stats
from restore.errors import Fenced
from restore.plan import SegmentPlan
from restore.steps import TaskRef
from stores.clients import Clients
from stores.staged_records import keys_of, segment_key

Amend = Callable[[SegmentPlan, bytes], bytes]


class IndexActivities:
    """Writes under the restore's reservation; each may be repeated."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def sync_vector_scalar_indexes(self, task: TaskRef) -> int:
        """Write one finished SegmentIndex per build and return their number."""
        return await run_blocking(self._clients.work_threads, lambda pulse: self._builds(task, pulse))

    @activity.defn
    async def sync_text_indexes(self, task: TaskRef) -> int:
        """Add the text indexes to the segments that have some; return the number of those segments."""
        return await run_blocking(
            self._clients.work_threads,
            lambda pulse: self._amend(task, pulse, lambda each: bool(each.source.text_index_files), _texts),
        )

    @activity.defn
    async def sync_json_indexes(self, task: TaskRef) -> int:
        """Add the JSON indexes to the segments that have some; return the number of those segments."""
        return await run_blocking(
            self._clients.work_threads,
            lambda pulse: self._amend(
                task, pulse, lambda each: bool(each.source.json_key_index_files), _jsons
            ),
        )

    def _builds(self, task: TaskRef, pulse: Pulse) -> int:
        staging = Staging(self._clients, task)
        written = 0
        for segment in staging.segments:
            pulse.check()
            records: Mapping[str, bytes] = index_records(
                segment.source, segment.target, keys_of(staging.plan)
            )
            written += staging.put(records.items())
        return written

    def _amend(
        self, task: TaskRef, pulse: Pulse, concerned: Callable[[SegmentPlan], bool], amend: Amend
    ) -> int:
        staging = Staging(self._clients, task)
        segments = [each for each in staging.segments if concerned(each)]
        for segment in segments:
            while not self._amended(staging, segment, amend):
                pulse.check()
        return len(segments)

    def _amended(self, staging: Staging, segment: SegmentPlan, amend: Amend) -> bool:
        """Read, change, write; False when the sibling step wrote the same record in between."""
        key = segment_key(staging.plan, segment)
        record = staging.metadata.get(key)
        if record is None:
            raise Fenced(f"the staged record {key} is gone; another restore or a rollback removed it")
        value = amend(segment, record.value)
        return value == record.value or staging.replace(key, value, record.mod_revision)


def _texts(segment: SegmentPlan, value: bytes) -> bytes:
    return with_text_stats(value, text_stats(segment.source, segment.target))


def _jsons(segment: SegmentPlan, value: bytes) -> bytes:
    return with_json_stats(value, json_stats(segment.source, segment.target))
