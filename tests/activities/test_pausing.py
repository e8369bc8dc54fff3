"""A pause is the condition of a restore beside a running Milvus, and no business of one that is down."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from temporalio.testing import ActivityEnvironment

from activities.pausing import PauseActivities
from restore.collection_pause import PAUSE_SECONDS, CollectionPause
from restore.errors import AccessDenied, StoreUnavailable
from restore.profiles import EtcdSettings, MilvusSettings, Profile
from restore.settings import Settings
from starter import port
from stores.clients import Clients
from stores.ports import Transaction
from tests.stores.management_server import Kind, ManagementServer, managing


@pytest.fixture(params=["older", "newer"])
def server(request: pytest.FixtureRequest) -> Iterator[ManagementServer]:
    kind: Kind = request.param
    with managing(kind) as running:
        yield running


class Room:
    """The activities of a worker whose profile names this endpoint."""

    def __init__(self, endpoint: str | None, etcd: EtcdSettings) -> None:
        milvus = MilvusSettings(management=endpoint)
        profile = Profile(name="default", etcd=etcd, milvus=milvus)
        self.clients = Clients(Settings(task_queue="none", profiles={"default": profile}))
        self._activities = PauseActivities(self.clients)
        self._environment = ActivityEnvironment()

    def put(self, key: str, value: bytes = b"") -> None:
        assert self.clients.metadata("default").commit(Transaction(puts={key: value}))

    def start_milvus(self) -> None:
        key = self.clients.keys("default").session("rootcoord")
        self.put(key, json.dumps({"Address": "127.0.0.1:53100"}).encode())

    async def pause(self, ticket: str | None = None, attempt: int = 1) -> CollectionPause:
        self._environment.info = replace(ActivityEnvironment.default_info(), attempt=attempt)
        pause = CollectionPause(profile="default", ticket=ticket)
        return await self._environment.run(self._activities.pause_collection, pause)

    async def resume(self, pause: CollectionPause) -> None:
        await self._environment.run(self._activities.resume_collection, pause)


@pytest.fixture
def etcd(etcd_endpoint: str, etcd_root: str) -> EtcdSettings:
    return EtcdSettings(endpoints=(etcd_endpoint,), root_path=etcd_root)


@pytest.fixture
def room(server: ManagementServer, etcd: EtcdSettings) -> Iterator[Room]:
    made = Room(server.endpoint, etcd)
    yield made
    made.clients.close()


@pytest.fixture
def unanswered(etcd: EtcdSettings) -> Iterator[Room]:
    """A worker whose endpoint nobody serves."""
    made = Room(f"http://127.0.0.1:{port.pick(('closed',))['closed']}", etcd)
    yield made
    made.clients.close()


async def test_a_renewed_pause_is_one_pause(room: Room, server: ManagementServer) -> None:
    first = await room.pause()
    second = await room.pause(first.ticket)

    assert list(server.paused.values()) == [PAUSE_SECONDS]
    await room.resume(second)
    assert server.paused == {}


async def test_a_pause_that_others_need_is_not_ended(room: Room, server: ManagementServer) -> None:
    """A cluster that gives no tickets ends the pauses of all at once."""
    mine, others = await room.pause(), await room.pause()
    room.put(room.clients.keys("default").reservation(449))

    await room.resume(mine)

    assert list(server.paused) == [others.ticket or ""]


async def test_a_refused_pause_refuses_the_restore(room: Room, server: ManagementServer) -> None:
    server.refusal = (401, "who are you")

    with pytest.raises(AccessDenied, match="who are you"):
        await room.pause()


async def test_a_resume_that_is_refused_is_told_and_is_no_failure(
    room: Room, server: ManagementServer, caplog: pytest.LogCaptureFixture
) -> None:
    pause = await room.pause()
    server.refusal = (500, "not ready")

    await room.resume(pause)

    assert [each.levelname for each in caplog.records if "not ready" in each.message] == ["WARNING"]


async def test_a_milvus_that_is_down_needs_no_pause(unanswered: Room) -> None:
    assert await unanswered.pause() == CollectionPause(profile="default")


async def test_a_running_milvus_that_does_not_answer_is_asked_again_and_then_refused(
    unanswered: Room,
) -> None:
    unanswered.start_milvus()

    with pytest.raises(StoreUnavailable, match="does not answer to pause"):
        await unanswered.pause(attempt=2)
    with pytest.raises(AccessDenied, match="garbage collection cannot be paused, so nothing is staged"):
        await unanswered.pause(attempt=3)


async def test_who_names_no_endpoint_has_nothing_paused(etcd: EtcdSettings) -> None:
    room = Room(None, etcd)

    assert await room.pause() == CollectionPause(profile="default")
    await room.resume(CollectionPause(profile="default"))
    room.clients.close()
