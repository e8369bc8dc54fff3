import logging
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from temporalio.testing import ActivityEnvironment

from activities.creating import CreatingActivities
from activities.opening import OpeningActivities
from formats.catalog import TargetCollection
from formats.keys import MetaKeys
from formats.metadata import write_metadata
from formats.proto import etcd_pb2
from formats.proto.data_pb2 import SegmentInfo, SnapshotMetadata
from formats.proto.schema_pb2 import FieldSchema, Int64
from restore.comparison import differences
from restore.errors import (
    AccessDenied,
    Fenced,
    InvalidRequest,
    RestoreError,
    StoreUnavailable,
    TargetBusy,
    TargetMismatch,
    TargetNotFound,
)
from restore.profiles import MilvusSettings, Profile
from restore.request import RestoreRequest
from restore.reservation import Owner, State
from restore.settings import Settings
from restore.steps import Fence, Opening, PlanOrder, Removal
from restore.target_origin import TargetOrigin
from samples.shape import SampleShape
from samples.snapshot import metadata_key, snapshot_metadata
from stores.catalog import collection_names, find_collection
from stores.memory import MemoryMetadataStore
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location, Transaction
from stores.proto import milvus_rpc_pb2 as rpc
from stores.reservations import Reservations
from tests.activities.scene import SharedClients
from tests.stores import id_server, milvus_server
from tests.stores.catalog_samples import database, put
from tests.stores.milvus_server import MilvusServer

SHAPE = SampleShape(partitions=3)
KEYS = MetaKeys()
JOB = "1099511627777"
INTERIM = f"milvus_restore_{JOB}"
TARGET = "orders"
NOTE = f"files/restores/{JOB}/target.json"


class Workshop:
    """An empty snapshot in the bucket, a Milvus beside it, and one restore that is to make its target."""

    def __init__(self, milvus: MilvusServer, address: str | None) -> None:
        self.milvus = milvus
        self.metadata = milvus.store
        self.objects = MemoryObjectStore("a-bucket")
        profile = Profile(name="default", milvus=MilvusSettings(address=address))
        settings = Settings(task_queue="none", profiles={"default": profile})
        self.clients = SharedClients(settings, {"default": self.objects})
        self.clients.metadata_stores["default"] = self.metadata
        self.snapshot = snapshot_metadata(SHAPE, ())
        self.store()

    def store(self) -> None:
        """Write the snapshot as it is now."""
        self.objects.put(Location("a-bucket", metadata_key(SHAPE)), write_metadata(self.snapshot))

    @property
    def order(self) -> PlanOrder:
        request = RestoreRequest(snapshot=metadata_key(SHAPE), target=TARGET)
        return PlanOrder(job_id=JOB, request=request)

    async def open(self) -> Opening:
        steps = OpeningActivities(self.clients)
        return await ActivityEnvironment().run(steps.open_restore, self.order.request)

    async def create(self) -> int:
        steps = CreatingActivities(self.clients)
        return int(await ActivityEnvironment().run(steps.create_target, self.order))

    async def remove(self) -> Removal:
        fence = Fence(job_id=JOB, destination="default", epoch=0, reason="tried out")
        steps = CreatingActivities(self.clients)
        return await ActivityEnvironment().run(steps.remove_target, fence)

    def names(self) -> set[str]:
        return set(collection_names(self.metadata, KEYS, "default").values())

    def target(self) -> TargetCollection:
        found = find_collection(self.metadata, KEYS, "default", TARGET)
        assert found is not None
        return found

    @property
    def note(self) -> TargetOrigin | None:
        return self.clients.origins("default", JOB).find()

    @property
    def reservation(self) -> Owner | None:
        held = Reservations(self.metadata, KEYS).look(self.target().id)
        return held[0] if held else None

    def reserve(self, job_id: str, state: State = "active") -> str:
        """Have a restore reserve the target, and return the reservation's key."""
        owner = Owner(job_id=job_id, workflow_id="w", state=state, since="now", fingerprint="f")
        reservations = Reservations(self.metadata, KEYS)
        reservations.take(self.target().id, owner, {})
        return reservations.key(self.target().id)


@pytest.fixture
def milvus() -> Iterator[MilvusServer]:
    store = MemoryMetadataStore()
    put(store, {KEYS.database(1): database(1, "default")})
    with milvus_server.serving(store, KEYS) as running:
        yield running


@pytest.fixture
def workshop(milvus: MilvusServer) -> Iterator[Workshop]:
    made = Workshop(milvus, milvus.address)
    with id_server.serving() as ids:
        id_server.register(made.metadata, KEYS, ids.address)
        yield made
    made.clients.close()


def lost(_request: Any, context: Any) -> Any:
    """The call was carried out, but nobody hears of it."""
    context.abort(grpc.StatusCode.UNAVAILABLE, "connection lost")


async def fails(error: type[RestoreError], work: Callable[[], Any], *parts: str) -> RestoreError:
    with pytest.raises(error) as caught:
        await work()
    assert type(caught.value) is error
    assert [part for part in parts if part not in str(caught.value)] == []
    return caught.value


async def test_an_absent_target_is_to_be_made_where_a_milvus_is_known(workshop: Workshop) -> None:
    opening = await workshop.open()
    assert opening.create_target
    assert workshop.names() == set()


async def test_without_an_address_the_target_must_exist(milvus: MilvusServer) -> None:
    workshop = Workshop(milvus, None)
    await fails(TargetNotFound, workshop.open, "'orders'", "set a Milvus address")
    await fails(TargetNotFound, workshop.create, "'orders'", "RESTORE_MILVUS_ADDRESS")
    workshop.clients.close()


async def test_a_target_that_exists_is_not_made(workshop: Workshop) -> None:
    await workshop.create()
    opening = await workshop.open()
    assert not opening.create_target


async def test_a_milvus_of_another_cluster_is_found_out_before_anything_is_made(workshop: Workshop) -> None:
    workshop.milvus.troubles["HasCollection"] = lambda *_: rpc.HasCollectionResponse(value=True)
    await fails(InvalidRequest, workshop.open, "'orders'", "by-dev/meta", "same cluster")


async def test_what_cannot_be_asked_for_is_refused_at_the_opening(workshop: Workshop) -> None:
    workshop.snapshot.collection.schema.fields.append(FieldSchema(fieldID=140, name="late", data_type=Int64))
    workshop.store()
    await fails(TargetMismatch, workshop.open, "'sample'", "same steps")


async def test_the_target_is_made_equal_under_its_name_and_written_down(workshop: Workshop) -> None:
    number = await workshop.create()
    target = workshop.target()
    assert target.id == number
    assert differences(workshop.snapshot.collection, workshop.snapshot.indexes, target) == []
    assert set(target.partitions) == {"_default", "part_1", "part_2"}
    assert target.properties == {"collection.autocompaction.enabled": "false"}
    assert workshop.names() == {TARGET}
    assert workshop.note == TargetOrigin(
        job_id=JOB, database="default", collection=TARGET, collection_id=number
    )


async def test_making_it_again_changes_nothing(workshop: Workshop) -> None:
    number = await workshop.create()
    requests = len(workshop.milvus.requests)
    assert await workshop.create() == number
    assert len(workshop.milvus.requests) == requests


async def test_nothing_appears_before_the_note_is_there(workshop: Workshop) -> None:
    noted: list[TargetOrigin | None] = []

    def look(*_: Any) -> Any:
        noted.append(workshop.note)
        return rpc.Status(code=1, reason="still starting")

    workshop.milvus.troubles["CreateCollection"] = look
    await fails(StoreUnavailable, workshop.create)
    assert noted == [TargetOrigin(job_id=JOB, database="default", collection=TARGET)]


@pytest.mark.parametrize("call", ["CreateCollection", "CreatePartition", "CreateIndex", "RenameCollection"])
async def test_after_a_lost_answer_another_try_goes_on(workshop: Workshop, call: str) -> None:
    workshop.milvus.afterthoughts[call] = lost
    await fails(StoreUnavailable, workshop.create, call)
    number = await workshop.create()
    assert workshop.target().id == number
    assert workshop.names() == {TARGET}
    assert len(workshop.milvus.calls("CreateCollection")) == 1
    assert differences(workshop.snapshot.collection, workshop.snapshot.indexes, workshop.target()) == []


@pytest.mark.parametrize("call", ["CreateCollection", "CreatePartition", "CreateIndex", "RenameCollection"])
async def test_a_rollback_removes_whatever_a_dead_try_left(workshop: Workshop, call: str) -> None:
    workshop.milvus.afterthoughts[call] = lost
    await fails(StoreUnavailable, workshop.create)
    assert workshop.names()
    assert await workshop.remove() == "removed"
    assert workshop.names() == set()


async def test_a_difference_is_named_and_nothing_is_left(workshop: Workshop) -> None:
    workshop.milvus.chosen = {}
    vector = workshop.snapshot.collection.schema.fields[3]
    workshop.snapshot.collection.schema.enable_dynamic_field = False
    workshop.snapshot.collection.schema.fields.pop()
    vector.fieldID = 300
    workshop.snapshot.indexes[0].fieldID = 300
    workshop.store()
    workshop.milvus.keeps_ids = False
    await fails(TargetMismatch, workshop.create, "'orders'", "'nightly'", "field 300 (embedding)")
    assert workshop.names() == set()
    assert workshop.note is None


async def test_a_newer_milvus_keeps_ids_with_a_gap(workshop: Workshop) -> None:
    workshop.snapshot.collection.schema.enable_dynamic_field = False
    workshop.snapshot.collection.schema.fields.pop()
    workshop.snapshot.collection.schema.fields.append(FieldSchema(fieldID=140, name="late", data_type=Int64))
    workshop.store()
    await workshop.create()
    assert workshop.target().schema.fields[-1].fieldID == 140


async def test_what_milvus_refuses_to_make_leaves_nothing(workshop: Workshop) -> None:
    workshop.milvus.troubles["CreateIndex"] = lambda *_: rpc.Status(code=1100, reason="index type not match")
    await fails(TargetMismatch, workshop.create, "CreateIndex of embedding_hnsw", "index type not match")
    assert workshop.names() == set()
    assert workshop.note is None


async def test_what_cannot_be_removed_at_once_is_left_to_the_rollback(workshop: Workshop) -> None:
    workshop.milvus.troubles["CreateIndex"] = lambda *_: rpc.Status(code=1100, reason="no")
    workshop.milvus.troubles["DropCollection"] = lost
    await fails(TargetMismatch, workshop.create, "CreateIndex")
    assert workshop.names() == {INTERIM}
    assert await workshop.remove() == "removed"
    assert workshop.names() == set()


async def test_a_milvus_whose_catalog_is_elsewhere_keeps_nothing(workshop: Workshop) -> None:
    elsewhere = MemoryMetadataStore()
    put(elsewhere, {KEYS.database(1): database(1, "default")})
    workshop.clients.metadata_stores["default"] = elsewhere
    await fails(TargetNotFound, workshop.create, workshop.milvus.address, "same cluster")
    assert workshop.names() == set()


async def test_an_automatic_index_gets_the_sources_parameters_where_milvus_chooses_others(
    workshop: Workshop,
) -> None:
    automatic(workshop.snapshot, "24")
    workshop.store()
    await workshop.create()
    (index,) = (each for each in workshop.target().indexes if each.index_name == "embedding_hnsw")
    assert {pair.key: pair.value for pair in index.index_params}["M"] == "24"


async def test_an_automatic_index_stays_one_where_milvus_chooses_the_same(workshop: Workshop) -> None:
    automatic(workshop.snapshot, "18")
    workshop.store()
    await workshop.create()
    (index,) = (each for each in workshop.target().indexes if each.index_name == "embedding_hnsw")
    assert [pair.value for pair in index.user_index_params] == ["AUTOINDEX"]


def automatic(snapshot: SnapshotMetadata, m: str) -> None:
    index = snapshot.indexes[0]
    index.is_auto_index = True
    del index.index_params[:], index.user_index_params[:]
    index.user_index_params.add(key="index_type", value="AUTOINDEX")
    for key, value in {"index_type": "HNSW", "M": m}.items():
        index.index_params.add(key=key, value=value)


async def test_a_name_that_somebody_takes_meanwhile_is_theirs(workshop: Workshop) -> None:
    workshop.milvus.afterthoughts["CreateIndex"] = lambda *_: appears(workshop)
    await fails(TargetBusy, workshop.create, "'orders'", JOB)
    assert workshop.names() == {TARGET}
    assert workshop.note is None
    assert await workshop.remove() == "none"
    assert workshop.names() == {TARGET}


async def test_a_name_that_was_taken_since_the_opening_is_theirs(workshop: Workshop) -> None:
    appears(workshop)
    await fails(TargetBusy, workshop.create, "'orders'")
    assert not workshop.milvus.calls("CreateCollection")
    assert workshop.note is None


def appears(workshop: Workshop) -> Any:
    """Somebody makes a collection of the target's name."""
    other = etcd_pb2.CollectionInfo(ID=7, db_id=1, create_time=1)
    other.schema.name = TARGET
    workshop.milvus.put((KEYS.collection(1, 7), other))
    return rpc.Status()


async def test_a_rollback_in_the_middle_fences_the_making_off(workshop: Workshop) -> None:
    def rolled_back(*_: Any) -> Any:
        workshop.objects.delete("a-bucket", [NOTE])
        return rpc.Status()

    workshop.milvus.afterthoughts["CreateIndex"] = rolled_back
    await fails(Fenced, workshop.create, JOB)
    assert workshop.names() == set()


async def test_the_rollback_removes_the_target_once_and_gives_its_reservation_back(
    workshop: Workshop,
) -> None:
    await workshop.create()
    assert await workshop.remove() == "removed"
    assert workshop.names() == set()
    assert await workshop.remove() == "none"
    assert list(workshop.metadata.scan(KEYS.reservation(0)[:-1])) == []


async def test_a_target_that_existed_is_never_removed(workshop: Workshop) -> None:
    appears(workshop)
    assert await workshop.remove() == "none"
    assert workshop.names() == {TARGET}
    assert not workshop.milvus.calls("DropCollection")


async def test_a_target_with_anybodys_segments_is_left(
    workshop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    number = await workshop.create()
    segment = SegmentInfo(ID=5, collectionID=number, partitionID=6)
    assert workshop.metadata.commit(
        Transaction(puts={KEYS.segment(number, 6, 5): segment.SerializeToString()})
    )
    with caplog.at_level(logging.WARNING):
        assert await workshop.remove() == "left"
    assert "orders" in caplog.text
    assert workshop.names() == {TARGET}
    assert workshop.reservation is None


async def test_a_target_that_another_restore_has_is_left(workshop: Workshop) -> None:
    await workshop.create()
    workshop.reserve("42")
    assert await workshop.remove() == "left"
    assert workshop.names() == {TARGET}
    assert workshop.reservation is not None
    assert workshop.reservation.job_id == "42"


async def test_the_reservation_of_a_fenced_restore_is_not_given_back_yet(workshop: Workshop) -> None:
    await workshop.create()
    key = workshop.reserve(JOB, "rolling_back")
    assert await workshop.remove() == "removed"
    assert workshop.metadata.get(key) is not None


async def test_a_removal_that_died_is_finished_by_another(workshop: Workshop) -> None:
    await workshop.create()
    workshop.milvus.afterthoughts["DropCollection"] = lost
    await fails(StoreUnavailable, workshop.remove)
    assert await workshop.remove() == "none"
    assert workshop.names() == set()
    assert list(workshop.metadata.scan("by-dev/milvus-restore/reservation/")) == []


async def test_a_target_that_cannot_be_dropped_any_more_is_named(
    workshop: Workshop, milvus: MilvusServer
) -> None:
    await workshop.create()
    without = Workshop(milvus, None)
    without.clients.stores["default"] = workshop.objects
    await fails(AccessDenied, without.remove, "'orders'", JOB, "drop it by hand")
    without.clients.close()


async def test_with_its_database_the_target_is_gone(workshop: Workshop) -> None:
    await workshop.create()
    note = workshop.note
    assert note is not None
    workshop.clients.origins("default", JOB).put(note.model_copy(update={"database": "dropped"}))
    assert await workshop.remove() == "none"
