"""The steps of CreateSnapshot, each of which may be repeated, and its undoing."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from temporalio.testing import ActivityEnvironment

from activities.snapshotting import SnapshotActivities
from formats.proto.data_pb2 import SnapshotInfo, SnapshotStateCommitted, SnapshotStatePending
from formats.proto.etcd_pb2 import AliasInfo, CollectionInfo, DatabaseInfo
from restore.errors import (
    AccessDenied,
    CollectionNotFound,
    Fenced,
    InvalidRequest,
    RestoreError,
    SnapshotExists,
)
from restore.profiles import MilvusSettings, Profile, S3Settings
from restore.settings import Settings
from restore.snapshot_request import SnapshotRequest
from restore.snapshot_steps import SnapshotCount, SnapshotOpening, SnapshotOrder
from samples.shape import SampleShape
from stores.ids import FIRST
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location, Transaction
from stores.snapshot_catalog import SnapshotCatalog, SnapshotName
from tests.activities.scene import SharedClients
from tests.stores import id_server, milvus_server
from tests.stores.milvus_server import MilvusServer
from tests.stores.snapshot_ground import BUCKET, KEYS, Ground

A = TypeVar("A")
R = TypeVar("R")

SHAPE = SampleShape(segments=3, l0_segments=1, partitions=2, megabytes=0.05, dim=2)
WORKFLOW = "snapshot/default/sample/weekly"


class Darkroom:
    """A cluster in memory, and snapshots taken of it step by step."""

    def __init__(self, ground: Ground, address: str | None = None, bucket: str = BUCKET) -> None:
        self.ground = ground
        profile = Profile(
            name="default", milvus=MilvusSettings(address=address), s3=S3Settings(bucket=bucket)
        )
        settings = Settings(task_queue="none", profiles={"default": profile})
        self.clients = SharedClients(settings, {"default": ground.objects})
        self.clients.metadata_stores["default"] = ground.metadata
        self.steps = SnapshotActivities(self.clients)

    async def run(self, step: Callable[[A], Awaitable[R]], argument: A) -> R:
        return await ActivityEnvironment().run(step, argument)

    async def open(self, workflow: str = WORKFLOW, **changes: Any) -> SnapshotOrder:
        request = SnapshotRequest.model_validate({"collection": "sample", "name": "weekly", **changes})
        return await self.run(
            self.steps.open_snapshot, SnapshotOpening(request=request, workflow_id=workflow)
        )

    async def begin(self, **changes: Any) -> SnapshotOrder:
        order = await self.open(**changes)
        await self.run(self.steps.begin_snapshot, order)
        return order

    async def write(self, order: SnapshotOrder) -> SnapshotCount:
        return await self.run(self.steps.write_snapshot, order)

    async def commit(self, order: SnapshotOrder) -> str:
        return await self.run(self.steps.commit_snapshot, order)

    async def take(self, **changes: Any) -> SnapshotOrder:
        order = await self.begin(**changes)
        await self.write(order)
        await self.commit(order)
        return order

    async def discard(self, order: SnapshotOrder) -> bool:
        return await self.run(self.steps.discard_snapshot, order)

    def info(self, order: SnapshotOrder) -> SnapshotInfo:
        record = self.ground.metadata.get(order.record)
        assert record is not None
        return SnapshotInfo.FromString(record.value)

    def image(self) -> tuple[set[str], set[tuple[str, int]]]:
        """All that is there: objects, and records with their revisions, but for the ids' counter."""
        records = {(each.key, each.mod_revision) for each in self.ground.metadata.scan("")}
        return self.ground.stored, {each for each in records if each[0] != KEYS.id_counter}


@pytest.fixture
def ground() -> Ground:
    return Ground(SHAPE)


@pytest.fixture
def room(ground: Ground) -> Iterator[Darkroom]:
    made = Darkroom(ground)
    yield made
    made.clients.close()


@pytest.fixture
def milvus(ground: Ground) -> Iterator[MilvusServer]:
    with milvus_server.serving(ground.metadata, KEYS) as running, id_server.serving() as ids:
        id_server.register(ground.metadata, KEYS, ids.address)
        yield running


async def test_a_snapshot_is_pending_until_it_is_whole_and_then_found_by_name(
    room: Darkroom, ground: Ground
) -> None:
    order = await room.begin(description="for tests")
    pending = room.info(order)
    assert (pending.state, pending.description) == (SnapshotStatePending, "for tests")
    assert pending.create_ts == min(each.timestamp for each in pending.channel_seek_positions)
    assert pending.pending_start_time == order.started_at
    assert set(pending.partition_ids) == set(SHAPE.partition_ids.values())
    assert ground.stored == set()

    count = await room.write(order)
    assert (count.segments, count.objects) == (len(ground.manifests), len(ground.data))
    assert room.info(order) == pending

    uri = await room.commit(order)
    committed = room.info(order)
    assert (committed.state, f"s3://b/{committed.s3_location}") == (SnapshotStateCommitted, uri)
    catalog = SnapshotCatalog(ground.metadata, KEYS, ground.objects, BUCKET)
    found = SnapshotName.parse("sample/weekly")
    assert found is not None
    assert catalog.find(found) == committed.s3_location


async def test_a_snapshot_is_found_by_name_after_its_collection_was_dropped(
    room: Darkroom, ground: Ground
) -> None:
    order = await room.take()
    dropped = Transaction(deletes=[KEYS.collection(1, SHAPE.collection_id)])
    assert ground.metadata.commit(dropped)

    catalog = SnapshotCatalog(ground.metadata, KEYS, ground.objects, BUCKET)
    for text in ("sample/weekly", "default/sample/weekly"):
        found = SnapshotName.parse(text)
        assert found is not None
        assert catalog.find(found) == room.info(order).s3_location


async def test_a_step_that_is_done_twice_leaves_what_it_left_once(room: Darkroom) -> None:
    order = await room.begin()
    await room.run(room.steps.begin_snapshot, order)
    once = await room.write(order)
    image = room.image()
    assert await room.write(order) == once
    assert room.image()[0] == image[0]
    uri = await room.commit(order)
    assert await room.commit(order) == uri


async def test_opening_changes_nothing_but_the_counter_of_ids(room: Darkroom) -> None:
    before = room.image()
    order = await room.open()
    assert int(order.snapshot_id) >= FIRST
    assert room.image() == before


async def test_an_id_whose_files_outlived_their_record_is_not_given_again(
    room: Darkroom, ground: Ground
) -> None:
    key = SHAPE.key(f"snapshots/{SHAPE.collection_id}/manifests/{FIRST}/1.avro")
    ground.objects.put(Location(BUCKET, key), b"of a lost catalog")
    assert int((await room.open()).snapshot_id) == FIRST + 1


async def refused(opening: Awaitable[object], kind: type[RestoreError], *says: str) -> None:
    with pytest.raises(RestoreError) as caught:
        await opening
    assert type(caught.value) is kind, caught.value
    assert [text for text in says if text not in str(caught.value)] == []


async def test_a_name_is_taken_once(room: Darkroom) -> None:
    order = await room.take()
    await refused(room.open(), SnapshotExists, "weekly", "exists already", order.snapshot_id)
    await room.open(name="monthly")


async def test_a_name_that_another_workflow_is_making_is_refused_until_it_is_gone(room: Darkroom) -> None:
    first = await room.begin()
    await refused(room.open(workflow="other"), SnapshotExists, "is being made", first.snapshot_id)
    assert await room.discard(first)
    await room.open(workflow="other")


async def test_of_two_that_were_opened_at_once_the_first_to_begin_wins(room: Darkroom) -> None:
    first, second = await room.open(workflow="one"), await room.open(workflow="two")
    await room.run(room.steps.begin_snapshot, second)
    await refused(room.run(room.steps.begin_snapshot, first), SnapshotExists, "workflow two")
    await room.write(second)
    await room.commit(second)
    await refused(room.run(room.steps.begin_snapshot, first), SnapshotExists, "exists already")
    assert await room.discard(first)
    assert room.info(second).state == SnapshotStateCommitted


async def test_what_a_terminated_run_left_is_cleared_by_the_next_run_of_the_same_workflow(
    room: Darkroom, ground: Ground
) -> None:
    left = await room.begin()
    await room.write(left)

    order = await room.take()

    assert order.snapshot_id != left.snapshot_id
    assert ground.metadata.get(left.record) is None
    assert [key for key in ground.stored if f"/{left.snapshot_id}" in key] == []
    assert room.info(order).state == SnapshotStateCommitted


@pytest.mark.parametrize("step", ["begun", "written"])
async def test_a_discarded_snapshot_leaves_nothing_and_can_be_neither_written_nor_committed(
    room: Darkroom, step: str
) -> None:
    before = room.image()
    order = await room.begin()
    if step == "written":
        await room.write(order)

    assert await room.discard(order)
    assert await room.discard(order)

    assert room.image() == before
    await refused(room.write(order), Fenced, "removed while it was being made")
    await refused(room.commit(order), Fenced)
    assert room.image() == before


async def test_a_committed_snapshot_is_not_discarded(room: Darkroom) -> None:
    order = await room.take()
    before = room.image()
    assert not await room.discard(order)
    assert room.image() == before


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"collection": "absent"}, ["'absent'", "'default'"]),
        ({"database": "absent"}, ["database 'absent'"]),
        ({"collection": "nick"}, ["alias", "sample"]),
    ],
)
async def test_a_collection_that_is_not_there_is_named(
    room: Darkroom, ground: Ground, changes: dict[str, str], says: list[str]
) -> None:
    alias = AliasInfo(alias_name="nick", collection_id=SHAPE.collection_id, db_id=1)
    ground.put({KEYS.alias(1, "nick"): alias})
    await refused(room.open(**changes), CollectionNotFound, *says)


async def test_a_collection_that_was_dropped_and_made_anew_meanwhile_is_another(
    room: Darkroom, ground: Ground
) -> None:
    order = await room.begin()
    key = KEYS.collection(1, SHAPE.collection_id)
    record = ground.metadata.get(key)
    assert record is not None
    anew = CollectionInfo.FromString(record.value)
    anew.ID, anew.create_time = 7, 2**62
    ground.put({KEYS.collection(1, 7): anew})
    await refused(room.write(order), CollectionNotFound, "made anew", str(SHAPE.collection_id))
    assert ground.stored == set()


async def test_a_collection_of_another_database_keeps_its_databases_name(ground: Ground) -> None:
    shape = SHAPE.model_copy(update={"database": "sales"})
    other = Ground(shape)
    room = Darkroom(other)
    other.put({KEYS.database(99): DatabaseInfo(name="elsewhere", id=99, state="DatabaseCreated")})
    order = await room.take(collection="sales/sample")
    key = room.info(order).s3_location
    assert b'"dbName": "sales"' in other.objects.get(Location(BUCKET, key))
    room.clients.close()


async def test_a_bucket_that_is_not_there_is_the_requests_fault(ground: Ground) -> None:
    room = Darkroom(ground, bucket="absent")
    await refused(room.open(), InvalidRequest, "'absent'", "RESTORE_S3_BUCKET")
    room.clients.close()


async def test_a_flush_needs_a_milvus_address(room: Darkroom) -> None:
    await refused(room.open(flush=True), InvalidRequest, "field flush", "RESTORE_MILVUS_ADDRESS")


async def test_a_flush_needs_a_milvus_that_answers(ground: Ground) -> None:
    room = Darkroom(ground, address="127.0.0.1:1")
    await refused(room.open(flush=True), AccessDenied, "127.0.0.1:1")
    room.clients.close()


async def test_a_flush_waits_until_milvus_has_written_everything(
    ground: Ground, milvus: MilvusServer
) -> None:
    room = Darkroom(ground, address=milvus.address)
    order = await room.open(flush=True)
    milvus.looks = 2
    await room.run(room.steps.flush_collection, order)
    assert len(milvus.calls("Flush")) == 1
    assert len(milvus.calls("GetFlushState")) == 3
    room.clients.close()


class HeldObjects(MemoryObjectStore):
    """Manifests stand still on their way until they are released."""

    def __init__(self) -> None:
        super().__init__(BUCKET)
        self.arrived = threading.Event()
        self.released = threading.Event()

    def put(self, at: Location, body: bytes) -> None:
        if "/manifests/" in at.key:
            self.arrived.set()
            assert self.released.wait(30)
        super().put(at, body)


async def test_a_cancelled_writing_has_ended_when_it_says_so(ground: Ground) -> None:
    ground = Ground(SHAPE, objects=HeldObjects())
    assert isinstance(ground.objects, HeldObjects)
    room = Darkroom(ground)
    order = await room.begin()
    environment = ActivityEnvironment()
    writing = asyncio.ensure_future(environment.run(room.steps.write_snapshot, order))
    await asyncio.to_thread(ground.objects.arrived.wait, 30)

    environment.cancel()
    ground.objects.released.set()
    with pytest.raises(asyncio.CancelledError):
        await writing
    known = ground.stored
    assert await room.discard(order)

    assert not any(key.endswith(".json") for key in known)
    room.clients.close()  # waits for every thread
    assert ground.stored == set()
