"""How many jobs and tasks are in which state, as Milvus's records in etcd have them.

Every worker that has worked for a cluster tells the same figures, those of Milvus's own restores included.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from formats.keys import MetaKeys
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
from restore.errors import RestoreError
from stores.clients import Clients
from stores.ports import MetadataStore

JOB_STATES: Mapping[int, str] = {
    CopySegmentJobPending: "pending",
    CopySegmentJobExecuting: "executing",
    CopySegmentJobCompleted: "completed",
    CopySegmentJobFailed: "failed",
}
TASK_STATES: Mapping[int, str] = {
    CopySegmentTaskPending: "pending",
    CopySegmentTaskInProgress: "in_progress",
    CopySegmentTaskCompleted: "completed",
    CopySegmentTaskFailed: "failed",
}

_UNKNOWN = "unknown"

PATIENCE = 2.0
"""Seconds that a collector waits for etcd at most; later, or while etcd is away, it gets the last figures."""

States = Callable[[MetadataStore, MetaKeys], Iterator[str]]


def publish_job_states(clients: Clients) -> None:
    """Have every collection of metrics count the records of the clusters that are connected by then."""
    meter = metrics.get_meter("milvus-restore")
    jobs, tasks = Look(clients, job_states, JOB_STATES), Look(clients, task_states, TASK_STATES)
    meter.create_observable_gauge("milvus_restore.jobs", [jobs], "{job}", "Jobs recorded in etcd, by state.")
    meter.create_observable_gauge("milvus_restore.tasks", [tasks], "{task}", "Their tasks, by state.")


def job_states(store: MetadataStore, keys: MetaKeys) -> Iterator[str]:
    """Yield the state of every job that is recorded."""
    for record in store.scan(keys.copy_segment_jobs):
        yield JOB_STATES.get(CopySegmentJob.FromString(record.value).state, _UNKNOWN)


def task_states(store: MetadataStore, keys: MetaKeys) -> Iterator[str]:
    """Yield the state of every task that is recorded."""
    for record in store.scan(keys.copy_segment_tasks):
        yield TASK_STATES.get(CopySegmentTask.FromString(record.value).state, _UNKNOWN)


class Look:
    """A gauge's callback; one look at a time, so that a slow etcd is not asked ever more. Thread-safe."""

    def __init__(self, clients: Clients, states: States, known: Mapping[int, str]) -> None:
        self._clients = clients
        self._states = states
        self._known = tuple(known.values())
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="job-states")
        self._lock = threading.Lock()
        self._under_way: Future[list[Observation]] | None = None
        self._last: list[Observation] = []

    def __call__(self, _: CallbackOptions) -> list[Observation]:
        """Return the number of records in each state, absent ones as 0; the last known when etcd is away."""
        with self._lock:
            look = self._under_way = self._under_way or self._threads.submit(self._count)
        try:
            found = look.result(PATIENCE)
        except TimeoutError:
            return self._last
        except RestoreError:
            found = self._last
        with self._lock:
            self._under_way, self._last = None, found
        return found

    def _count(self) -> list[Observation]:
        return [
            Observation(count, {"profile": profile, "state": state})
            for profile, store in self._clients.connected_metadata().items()
            for state, count in self._counts(store, profile).items()
        ]

    def _counts(self, store: MetadataStore, profile: str) -> Counter[str]:
        counts = Counter(dict.fromkeys(self._known, 0))
        counts.update(self._states(store, self._clients.keys(profile)))
        return counts
