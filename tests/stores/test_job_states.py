import threading
import time
from collections.abc import Iterator

import pytest
from opentelemetry.metrics import CallbackOptions, Observation

from formats.keys import MetaKeys
from formats.proto.data_pb2 import (
    CopySegmentJob,
    CopySegmentJobExecuting,
    CopySegmentTask,
    CopySegmentTaskCompleted,
    CopySegmentTaskInProgress,
)
from restore.errors import StoreUnavailable
from restore.settings import Settings
from stores import job_states
from stores.clients import Clients
from stores.job_states import JOB_STATES, TASK_STATES, Look
from stores.memory import MemoryMetadataStore
from stores.ports import MetadataStore, Transaction

KEYS = MetaKeys("by-dev", "meta")
NOW = CallbackOptions()


class OneCluster(Clients):
    """One profile's etcd in memory."""

    def __init__(self) -> None:
        super().__init__(Settings.load())
        self.store = MemoryMetadataStore()

    def connected_metadata(self) -> dict[str, MetadataStore]:
        return {"default": self.store}

    def keys(self, name: str) -> MetaKeys:
        return KEYS


@pytest.fixture
def cluster() -> Iterator[OneCluster]:
    made = OneCluster()
    yield made
    made.close()


def figures(observed: list[Observation]) -> dict[str, float]:
    assert {(each.attributes or {})["profile"] for each in observed} <= {"default"}
    return {str((each.attributes or {})["state"]): each.value for each in observed}


def test_jobs_and_tasks_are_counted_by_state_and_absent_states_are_0(cluster: OneCluster) -> None:
    job = CopySegmentJob(job_id=1, state=CopySegmentJobExecuting)
    tasks = [CopySegmentTask(task_id=2, job_id=1, state=CopySegmentTaskInProgress)]
    tasks += [CopySegmentTask(task_id=each, job_id=1, state=CopySegmentTaskCompleted) for each in (3, 4)]
    puts = {KEYS.copy_segment_task(task.task_id): task.SerializeToString() for task in tasks}
    puts[KEYS.copy_segment_job(1)] = job.SerializeToString()
    assert cluster.store.commit(Transaction(puts=puts))

    jobs = Look(cluster, job_states.job_states, JOB_STATES)(NOW)
    found = Look(cluster, job_states.task_states, TASK_STATES)(NOW)

    assert figures(jobs) == {"pending": 0, "executing": 1, "completed": 0, "failed": 0}
    assert figures(found) == {"pending": 0, "in_progress": 1, "completed": 2, "failed": 0}


def test_without_a_connected_cluster_there_is_nothing_to_tell() -> None:
    clients = Clients(Settings.load())
    assert clients.connected_metadata() == {}
    assert Look(clients, job_states.job_states, JOB_STATES)(NOW) == []
    clients.close()


def test_an_etcd_that_is_away_leaves_the_last_figures(cluster: OneCluster) -> None:
    answers: list[list[str] | Exception] = [["executing"], StoreUnavailable("away"), ["failed"]]

    def states(_: MetadataStore, __: MetaKeys) -> Iterator[str]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield from answer

    look = Look(cluster, states, {1: "executing", 2: "failed"})
    assert figures(look(NOW)) == {"executing": 1, "failed": 0}
    assert figures(look(NOW)) == {"executing": 1, "failed": 0}
    assert figures(look(NOW)) == {"executing": 0, "failed": 1}


def test_a_slow_etcd_holds_a_collection_up_for_a_moment_only(
    cluster: OneCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_states, "PATIENCE", 0.05)
    answering, asked = threading.Event(), []

    def states(_: MetadataStore, __: MetaKeys) -> Iterator[str]:
        asked.append(1)
        answering.wait()
        yield "executing"

    look = Look(cluster, states, {1: "executing"})
    begun = time.monotonic()
    assert look(NOW) == []
    assert look(NOW) == []
    assert time.monotonic() - begun < 2
    assert len(asked) == 1  # it is not asked again while it has not answered

    answering.set()
    monkeypatch.setattr(job_states, "PATIENCE", 10)
    assert figures(look(NOW)) == {"executing": 1}
