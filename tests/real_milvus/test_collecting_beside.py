"""Garbage collection beside a restore, with seconds of tolerance."""

from collections.abc import Iterator

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from restore.settings import Settings
from samples.milvus.configuration import GarbageCollection
from starter.stack import Stack
from tests.real_milvus.cluster import Cluster
from tests.real_milvus.held_worker import held_worker
from tests.real_milvus.kinds import ORDERS
from tests.real_milvus.server_log import ServerLog
from tests.real_milvus.story import Source

SLOW = GarbageCollection(interval=20, missing_tolerance=2)
"""What starts anew reads what is staged from etcd and spares it, so the server must run all along."""

_PATIENCE = 60.0


@pytest.fixture
def temporal(stack: Stack) -> str:
    return stack.server("temporal").address


@pytest.fixture
def settings(first: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in first.settings().items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def calm_afterwards(first: Cluster) -> Iterator[None]:
    """Whatever these tests do to the server, the next ones find it as it was."""
    yield
    first.server.restart()


@pytest.mark.usefixtures("settings", "calm_afterwards")
async def test_what_milvus_collects_before_publishing_fails_the_restore_and_leaves_nothing(
    first: Cluster, source: Source, temporal: str
) -> None:
    before = segments(first)
    first.server.restart(SLOW)
    await_rounds(first, 1)  # all is staged and proved before the next one

    def await_collection(staged: set[str]) -> None:
        assert staged <= there(first)
        first.server.wait_until(
            lambda: bool(staged - there(first)), "something staged is collected", _PATIENCE
        )

    async with held_worker(Settings.load(), temporal, await_collection) as worker:
        restore = await worker.start(snapshot=source.snapshots[ORDERS].uri, target="orders_lost")
        with pytest.raises(WorkflowFailureError) as caught:
            await restore.result()

    failure = caught.value.cause
    assert isinstance(failure, ApplicationError)
    assert failure.type == "ObjectMissing"
    assert [key for key in worker.staged if f"/{key} was proved and is gone since" in failure.message]
    assert segments(first) == before, "nothing of it became visible, nothing is left"
    assert worker.staged & there(first) == set()


def await_rounds(cluster: Cluster, count: int) -> None:
    """Return when so many more rounds of garbage collection have begun."""
    mark = cluster.server.logged
    cluster.server.wait_until(
        lambda: ServerLog(cluster.server.said(mark)).collections >= count, "garbage is collected", _PATIENCE
    )


def there(cluster: Cluster) -> set[str]:
    """The keys of all objects."""
    return {f"{cluster.place.root}/{key}" for key in cluster.objects()}


def segments(cluster: Cluster) -> set[str]:
    """The keys of the records of all segments."""
    return {key.key.decode() for _, key in cluster.etcd.get_prefix(cluster.keys.segments())}
