"""The steps of DropSnapshot at a cluster in memory, and of holding a snapshot against it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import pytest
from temporalio.testing import ActivityEnvironment

from activities.dropping import DropActivities
from activities.pinning import PinActivities
from formats.pins import live_pins, pinned
from formats.proto.data_pb2 import SnapshotInfo, SnapshotStateDeleting, SnapshotStatePending
from formats.wire import encode
from restore.errors import AccessDenied, CatalogCorrupt, InvalidRequest, SnapshotNotFound, SnapshotPinned
from restore.request import RestoreRequest
from restore.snapshot_drop import DropOrder, DropRequest
from restore.snapshot_steps import SnapshotOrder
from restore.source_pin import HOLD_SECONDS, PinOrder, SourcePin
from stores.memory import MemoryMetadataStore
from stores.ports import Location, Transaction
from stores.snapshot_pins import SnapshotPins, now_ms
from stores.snapshot_records import SnapshotRecords
from tests.activities.test_snapshotting import SHAPE, Darkroom
from tests.stores.snapshot_ground import BUCKET, KEYS, Ground

A = TypeVar("A")
R = TypeVar("R")
NAME = f"{SHAPE.name}/weekly"


Image = tuple[set[str], set[tuple[str, int]]]


class Taken:
    """A snapshot that was taken, and what is done to it; `before` is the world without it."""

    def __init__(self, room: Darkroom, order: SnapshotOrder, before: Image) -> None:
        self.room = room
        self.before = before
        self.record = order.record
        self.snapshot_id = order.snapshot_id
        self.steps = DropActivities(room.clients)
        self.pinning = PinActivities(room.clients)
        self.pins = SnapshotPins(SnapshotRecords(room.ground.metadata, KEYS))

    async def run(self, step: Callable[[A], Awaitable[R]], argument: A) -> R:
        return await ActivityEnvironment().run(step, argument)

    async def open(self, **changes: Any) -> DropOrder | None:
        fields = {"collection": SHAPE.name, "name": "weekly", **changes}
        return await self.run(self.steps.open_drop, DropRequest.model_validate(fields))

    async def drop(self, **changes: Any) -> int:
        order = await self.open(**changes)
        assert order
        assert await self.run(self.steps.begin_drop, order)
        return await self.run(self.steps.remove_snapshot, order)

    async def hold(self, snapshot: str = NAME, job: str = "9") -> SourcePin | None:
        request = RestoreRequest(snapshot=snapshot, target="t")
        return await self.run(self.pinning.pin_source, PinOrder(request=request, job_id=job))

    @property
    def info(self) -> SnapshotInfo | None:
        record = self.room.ground.metadata.get(self.record)
        return SnapshotInfo.FromString(record.value) if record else None

    @property
    def there(self) -> SnapshotInfo:
        info = self.info
        assert info
        return info

    @property
    def data(self) -> set[str]:
        """The keys of the segments' objects that are there."""
        return {each.key for each in self.room.ground.objects.scan(BUCKET, "")} - self.room.ground.stored

    def set(self, info: SnapshotInfo) -> None:
        assert self.room.ground.metadata.commit(Transaction(puts={self.record: encode(info)}))

    def change(self, **fields: Any) -> None:
        info = self.there
        for name, value in fields.items():
            setattr(info, name, value)
        self.set(info)


@pytest.fixture
async def taken() -> AsyncIterator[Taken]:
    room = Darkroom(Ground(SHAPE))
    before = room.image()
    yield Taken(room, await room.take(), before)
    room.clients.close()


async def test_a_dropped_snapshot_leaves_neither_files_nor_record_and_no_data_is_touched(
    taken: Taken,
) -> None:
    seal = f"{taken.room.ground.files.metadata.key}".replace(
        f"{taken.room.ground.files.snapshot}.json", f"{taken.snapshot_id}.seal.json.gz"
    )
    taken.room.ground.objects.put(Location(BUCKET, seal), b"")

    removed = await taken.drop()

    assert removed == len(taken.room.ground.manifests) + 2, "a manifest per segment, the metadata, its seal"
    assert taken.room.image() == taken.before
    assert taken.data == taken.room.ground.data.keys()


async def test_each_step_may_be_repeated_and_what_is_gone_is_dropped(taken: Taken) -> None:
    order = await taken.open()
    assert order
    for _ in range(2):
        assert await taken.run(taken.steps.begin_drop, order)
    assert taken.there.state == SnapshotStateDeleting
    await taken.run(taken.steps.remove_snapshot, order)

    assert await taken.run(taken.steps.remove_snapshot, order) == 0
    assert not await taken.run(taken.steps.begin_drop, order)
    assert await taken.open() is None
    assert taken.room.image() == taken.before


async def test_one_that_was_left_half_dropped_is_found_and_finished(taken: Taken) -> None:
    order = await taken.open()
    assert order
    await taken.run(taken.steps.begin_drop, order)
    taken.room.ground.objects.delete(BUCKET, sorted(taken.room.ground.stored)[:2])

    await taken.drop()

    assert taken.room.image() == taken.before


async def test_another_snapshot_whose_id_begins_alike_stays(taken: Taken) -> None:
    files = taken.room.ground.files
    other = Location(BUCKET, files.manifest(1).key.replace(f"{files.snapshot}/", f"{taken.snapshot_id}0/"))
    taken.room.ground.objects.put(other, b"another's")

    await taken.drop()

    assert taken.room.ground.stored == {other.key}


@pytest.mark.parametrize("end", [0, 60_000])
async def test_a_pinned_snapshot_is_refused_with_its_pins_and_stays(taken: Taken, end: int) -> None:
    taken.pins.hold(taken.record, 77, end and now_ms() + end)
    there = taken.room.image()

    with pytest.raises(SnapshotPinned, match="77"):
        await taken.open()

    assert taken.room.image() == there


async def test_a_pin_that_came_between_is_seen_when_it_begins(taken: Taken) -> None:
    order = await taken.open()
    assert order
    taken.pins.hold(taken.record, 77, 0)

    with pytest.raises(SnapshotPinned):
        await taken.run(taken.steps.begin_drop, order)

    taken.pins.release(taken.record, 77)
    assert await taken.run(taken.steps.begin_drop, order)


async def test_an_expired_pin_bars_nothing(taken: Taken) -> None:
    taken.set(pinned(taken.there, 77, now_ms() - 1))

    await taken.drop()

    assert taken.info is None


async def test_nothing_is_pinned_once_it_is_being_dropped(taken: Taken) -> None:
    order = await taken.open()
    assert order
    await taken.run(taken.steps.begin_drop, order)

    with pytest.raises(SnapshotNotFound, match="DELETING"):
        taken.pins.hold(taken.record, 77, 0)
    with pytest.raises(SnapshotNotFound):
        await taken.hold()


async def test_one_that_is_being_made_is_refused(taken: Taken) -> None:
    taken.change(state=SnapshotStatePending)

    with pytest.raises(InvalidRequest, match="being made"):
        await taken.open()


async def test_a_record_that_names_the_files_of_another_is_refused(taken: Taken) -> None:
    taken.change(s3_location=taken.there.s3_location.replace(taken.snapshot_id, "12"))

    with pytest.raises(CatalogCorrupt, match=r"12\.json"):
        await taken.open()


async def test_the_snapshot_of_a_dropped_collection_is_found_by_name_and_by_id(taken: Taken) -> None:
    database = taken.room.ground.metadata
    for record in list(database.scan("by-dev/meta/root-coord/")):
        database.commit(Transaction(deletes=[record.key]))

    assert await taken.open(collection=str(SHAPE.collection_id))
    assert await taken.open()
    assert await taken.open(collection="another") is None


@pytest.mark.parametrize("by_uri", [True, False])
async def test_a_restore_holds_its_source_for_a_day_and_lets_it_go(taken: Taken, by_uri: bool) -> None:
    before, record = now_ms(), taken.info
    uri = f"s3://{BUCKET}/{taken.there.s3_location}"

    pin = await taken.hold(uri if by_uri else NAME)

    assert pin
    assert await taken.hold(uri if by_uri else NAME) == pin, "a repeated attempt has the same"
    (number,) = taken.there.pin_ids
    assert str(number) == pin.pin_id
    assert 0 < number < 2**63
    end = taken.there.pin_expire_at_ms[number]
    assert before <= end - HOLD_SECONDS * 1000 <= now_ms()
    taken.set(pinned(taken.there, number, before))
    assert await taken.run(taken.pinning.renew_pin, pin)
    assert live_pins(taken.there, end - 1) == [number]
    await taken.run(taken.pinning.unpin_source, pin)
    assert taken.info == record


async def test_two_restores_hold_it_each_for_itself(taken: Taken) -> None:
    one, two = await taken.hold(job="1"), await taken.hold(job="2")
    assert one
    assert two

    await taken.run(taken.pinning.unpin_source, one)

    assert list(taken.there.pin_ids) == [int(two.pin_id)]


async def test_a_copy_elsewhere_is_not_what_the_catalog_has(taken: Taken) -> None:
    assert await taken.hold(f"s3://elsewhere/{taken.there.s3_location}") is None
    assert not taken.there.pin_ids


async def test_a_catalog_that_may_not_be_written_bars_no_restore(taken: Taken) -> None:
    class ReadOnly(MemoryMetadataStore):
        def commit(self, transaction: Transaction) -> bool:
            raise AccessDenied("etcd: permission denied")

    store = ReadOnly()
    store._records = taken.room.ground.metadata._records
    taken.room.clients.metadata_stores["default"] = store

    assert await taken.hold() is None
    pin = SourcePin(job_id="9", profile="default", record=taken.record, pin_id="1")
    assert not await taken.run(taken.pinning.renew_pin, pin)
    await taken.run(taken.pinning.unpin_source, pin)
    assert not taken.there.pin_ids
