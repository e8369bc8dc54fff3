"""Fakes of the steps of CreateSnapshot over a World."""

import inspect
from collections.abc import Callable
from typing import Any

from temporalio import activity

from restore.errors import Fenced, SnapshotExists, SnapshotPinned
from restore.garbage import Garbage, GarbageRequest, Removal
from restore.snapshot_drop import DropOrder, DropRequest
from restore.snapshot_export import ExportOrder, ExportResult
from restore.snapshot_steps import SnapshotCount, SnapshotOpening, SnapshotOrder
from restore.source_pin import PinOrder, SourcePin
from tests.workflows.world import COLLECTION, World

COUNT = SnapshotCount(segments=3, rows=30, objects=300, bytes=3_000)


class FakeSnapshotActivities:
    """What the real ones do to a record and to files, done to the sets of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> list[Callable[..., Any]]:
        """Every fake, for a worker."""
        methods = (method for _, method in inspect.getmembers(self, inspect.ismethod))
        return [method for method in methods if hasattr(method, "__temporal_activity_definition")]

    @activity.defn
    async def open_snapshot(self, opening: SnapshotOpening) -> SnapshotOrder:
        await self._world.step("open_snapshot")
        if "COMMITTED" in self._world.snapshots.values():
            raise SnapshotExists("the name is taken")
        self._world.job += 1
        return SnapshotOrder(
            request=opening.request,
            workflow_id=opening.workflow_id,
            snapshot_id=str(self._world.job),
            collection_id=COLLECTION,
            record=f"snapshot/{self._world.job}",
            started_at=0,
        )

    @activity.defn
    async def flush_collection(self, order: SnapshotOrder) -> None:
        assert order.snapshot_id not in self._world.snapshots, "flushed after the boundary was taken"
        await self._world.step("flush_collection")

    @activity.defn
    async def begin_snapshot(self, order: SnapshotOrder) -> None:
        self._world.snapshots.setdefault(order.snapshot_id, "PENDING")
        await self._world.step("begin_snapshot")

    @activity.defn
    async def write_snapshot(self, order: SnapshotOrder) -> SnapshotCount:
        self._require(order, "PENDING")
        self._world.files.add(order.snapshot_id)
        await self._world.step("write_snapshot")
        return COUNT

    @activity.defn
    async def commit_snapshot(self, order: SnapshotOrder) -> str:
        await self._world.step("commit_snapshot")
        self._require(order, "PENDING", "COMMITTED")
        self._world.snapshots[order.snapshot_id] = "COMMITTED"
        return f"s3://b/{order.snapshot_id}.json"

    @activity.defn
    async def discard_snapshot(self, order: SnapshotOrder) -> bool:
        await self._world.step("discard_snapshot")
        if self._world.snapshots.get(order.snapshot_id) == "COMMITTED":
            return False
        self._world.files.discard(order.snapshot_id)
        self._world.snapshots.pop(order.snapshot_id, None)
        return True

    @activity.defn
    async def open_drop(self, request: DropRequest) -> DropOrder | None:
        await self._world.step("open_drop")
        there = next(iter(self._world.snapshots), None)
        if there is None:
            return None
        return DropOrder(
            source=request.source,
            record=f"snapshot/{there}",
            collection_id=COLLECTION,
            snapshot_id=there,
            name=request.name,
        )

    @activity.defn
    async def begin_drop(self, order: DropOrder) -> bool:
        await self._world.step("begin_drop")
        if self._world.pins:
            raise SnapshotPinned(f"held by {self._world.pins}")
        if order.snapshot_id not in self._world.snapshots:
            return False
        self._world.snapshots[order.snapshot_id] = "DELETING"
        return True

    @activity.defn
    async def remove_snapshot(self, order: DropOrder) -> int:
        self._require_state(order.snapshot_id, "DELETING")
        await self._world.step("remove_snapshot")
        self._world.files.discard(order.snapshot_id)
        self._world.snapshots.pop(order.snapshot_id, None)
        return 3

    @activity.defn
    async def pin_source(self, order: PinOrder) -> SourcePin | None:
        await self._world.step("pin_source")
        if not self._world.pinnable:
            return None
        self._world.pins.add(order.job_id)
        return SourcePin(
            job_id=order.job_id, profile=order.request.source, record="snapshot/1", pin_id=order.job_id
        )

    @activity.defn
    async def renew_pin(self, pin: SourcePin) -> bool:
        await self._world.step("renew_pin")
        self._world.pins.add(pin.pin_id)
        return True

    @activity.defn
    async def unpin_source(self, pin: SourcePin) -> None:
        await self._world.step("unpin_source")
        self._world.pins.discard(pin.pin_id)

    @activity.defn
    async def find_garbage(self, request: GarbageRequest) -> Garbage:
        await self._world.step("find_garbage")
        return Garbage(litter=tuple(self._world.litter), snapshots=1)

    @activity.defn
    async def collect_snapshot(self, removal: Removal) -> None:
        await self._world.step("collect_snapshot")
        self._world.snapshots.pop(removal.litter.record)

    @activity.defn
    async def open_export(self, order: ExportOrder) -> str:
        await self._world.step("open_export")
        return "nightly"

    @activity.defn
    async def write_bundle(self, order: ExportOrder) -> ExportResult:
        self._world.files.add(order.root)
        await self._world.step("write_bundle")
        return ExportResult(metadata=f"s3://{order.bucket}/{order.root}", segments=3)

    @activity.defn
    async def discard_bundle(self, order: ExportOrder) -> int:
        await self._world.step("discard_bundle")
        self._world.files.discard(order.root)
        return 1

    def _require_state(self, snapshot: str, *states: str) -> None:
        if self._world.snapshots.get(snapshot, "DELETING") not in states:
            raise Fenced(f"{snapshot} is not {states}")

    def _require(self, order: SnapshotOrder, *states: str) -> None:
        if self._world.snapshots.get(order.snapshot_id) not in states:
            raise Fenced(f"{order.record} is not {states}")
