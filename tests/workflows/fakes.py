"""Fake activities under the real names, with the real inputs and outputs, over a World."""

import inspect
from collections.abc import Callable
from typing import Any

from temporalio import activity

from restore.errors import TargetBusy
from restore.plan import PlanRef
from restore.request import RestoreRequest
from restore.steps import (
    Certified,
    Claim,
    Completion,
    CopyCount,
    CopyReport,
    Fence,
    Opening,
    PlanOrder,
    Removal,
    Reservation,
    RollbackRequest,
    StagedPlan,
    TaskRef,
    TaskResult,
)
from tests.workflows.pause_fakes import FakePauseActivities
from tests.workflows.snapshot_fakes import FakeSnapshotActivities
from tests.workflows.world import BYTES, COLLECTION, OBJECTS, ROWS, SEGMENTS, World


class FakeActivities:
    """What the real ones do to stores, done to the sets of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def all(self) -> list[Callable[..., Any]]:
        """Every fake, for a worker."""
        methods = (method for _, method in inspect.getmembers(self, inspect.ismethod))
        marked = [method for method in methods if hasattr(method, "__temporal_activity_definition")]
        others = (FakeSnapshotActivities(self._world), FakePauseActivities(self._world))
        return [*marked, *(method for each in others for method in each.all())]

    @activity.defn
    async def open_restore(self, request: RestoreRequest) -> Opening:
        await self._world.step("open_restore")
        if self._world.owner not in (None, "kept"):
            raise TargetBusy(f"collection {request.target!r} is reserved by restore {self._world.job}")
        if self._world.owner is None:
            self._world.job += 1
        return Opening(
            job_id=str(self._world.job),
            snapshot_name="nightly",
            search_attributes=True,
            create_target=self._world.absent and not self._world.made,
            kept=self._world.owner == "kept",
            pausable=self._world.pausable,
        )

    @activity.defn
    async def create_target(self, order: PlanOrder) -> str:
        self._world.made.add(order.job_id)
        await self._world.step("create_target")
        return COLLECTION

    @activity.defn
    async def plan_restore(self, order: PlanOrder) -> PlanRef:
        await self._world.step("plan_restore")
        self._world.plans.add(order.job_id)
        return PlanRef(
            job_id=order.job_id,
            collection_id=COLLECTION,
            snapshot_name="nightly",
            profile=order.request.destination,
            bucket="b",
            key=f"restores/{order.job_id}/plan.json.gz",
            digest="0" * 64,
            tasks=self._world.tasks,
            segments=SEGMENTS * self._world.tasks,
            rows=ROWS * self._world.tasks,
            objects=OBJECTS * self._world.tasks,
            bytes=BYTES * self._world.tasks,
        )

    @activity.defn
    async def reserve_target(self, claim: Claim) -> Reservation:
        await self._world.step("reserve_target")
        self._world.own("active")
        return Reservation(epoch=self._world.epoch)

    @activity.defn
    async def copy_objects(self, task: TaskRef) -> CopyCount:
        there = self._world.objects.get(task.index, 0)
        with self._world.work(task.index):
            self._world.begun.append(task.index)
            self._world.objects[task.index] = max(there, OBJECTS // 2)
            await self._report(task)
            await self._world.step("copy_objects", task.index)
            self._world.objects[task.index] = OBJECTS
        return CopyCount(objects=OBJECTS, skipped=there, bytes=BYTES)

    @activity.defn
    async def verify_objects(self, task: TaskRef) -> TaskResult:
        with self._world.work(task.index):
            await self._world.step("verify_objects", task.index)
        return TaskResult(segments=SEGMENTS, objects=self._world.objects[task.index], skipped=0, bytes=BYTES)

    @activity.defn
    async def update_binlogs(self, task: TaskRef) -> int:
        with self._world.work(task.index):
            await self._world.step("update_binlogs", task.index)
            self._world.require(task.epoch)
            self._world.records.add(task.index)
        return SEGMENTS

    @activity.defn
    async def sync_vector_scalar_indexes(self, task: TaskRef) -> int:
        return await self._index(task, "sync_vector_scalar_indexes")

    @activity.defn
    async def sync_text_indexes(self, task: TaskRef) -> int:
        return await self._index(task, "sync_text_indexes")

    @activity.defn
    async def sync_json_indexes(self, task: TaskRef) -> int:
        return await self._index(task, "sync_json_indexes")

    @activity.defn
    async def complete_task(self, task: TaskRef) -> None:
        with self._world.work(task.index):
            await self._world.step("complete_task", task.index)
            self._world.require(task.epoch)
            self._world.completed.add(task.index)
        self._world.working.discard(task.index)

    @activity.defn
    async def verify_restore(self, staged: StagedPlan) -> int:
        await self._world.step("verify_restore")
        self._world.require(staged.epoch)
        return len(self._world.records)

    @activity.defn
    async def publish_restore(self, staged: StagedPlan) -> int:
        await self._world.step("publish_restore")
        self._world.require(staged.epoch)
        self._world.own("publishing")
        self._world.published = set(self._world.completed)
        return len(self._world.published)

    @activity.defn
    async def complete_restore(self, completion: Completion) -> Certified:
        await self._world.step("complete_restore")
        self._world.completion = completion
        self._world.owner = None
        self._world.pins.discard(completion.staged.plan.job_id)
        return Certified(uri=f"s3://b/restores/{completion.staged.plan.job_id}/certificate.json")

    @activity.defn
    async def keep_restore(self, staged: StagedPlan) -> None:
        await self._world.step("keep_restore")
        self._world.require(staged.epoch)
        self._world.own("kept")

    @activity.defn
    async def fence_restore(self, request: RollbackRequest) -> Fence:
        self._world.rollbacks.append(request)
        self._world.active_at_fence += self._world.active
        await self._world.step("fence_restore")
        if self._world.owner:
            self._world.own("rolling_back")
        return Fence(
            job_id=request.job_id,
            destination=request.destination,
            epoch=self._world.epoch if self._world.owner else 0,
            reason=request.reason,
        )

    @activity.defn
    async def remove_records(self, fence: Fence) -> int:
        await self._world.step("remove_records")
        removed = len(self._world.records)
        self._world.records, self._world.indexes, self._world.completed = set(), set(), set()
        return removed

    @activity.defn
    async def remove_objects(self, fence: Fence) -> int:
        await self._world.step("remove_objects")
        removed = sum(self._world.objects.values())
        self._world.objects = {}
        return removed

    @activity.defn
    async def remove_target(self, fence: Fence) -> Removal:
        await self._world.step("remove_target")
        there = fence.job_id in self._world.made
        self._world.made.discard(fence.job_id)
        return "removed" if there else "none"

    @activity.defn
    async def forget_restore(self, fence: Fence) -> None:
        await self._world.step("forget_restore")
        self._world.owner = None
        self._world.plans.discard(fence.job_id)
        self._world.pins.discard(fence.job_id)

    async def _index(self, task: TaskRef, step: str) -> int:
        with self._world.work(task.index):
            await self._world.step(step, task.index)
            self._world.require(task.epoch)
            self._world.indexes.add((task.index, step))
        return 1

    async def _report(self, task: TaskRef) -> None:
        if self._world.reports:
            parent = activity.client().get_workflow_handle(task.parent)
            report = CopyReport(index=task.index, objects=self._world.objects[task.index], bytes=BYTES // 2)
            await parent.signal("report_copied", report)
