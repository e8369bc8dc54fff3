"""A small world of fake activities under the real names: knobs say how it goes, sets what is there."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from temporalio import activity

from restore.errors import Fenced, RestoreError, TargetBusy
from restore.plan import PlanRef
from restore.request import RestoreRequest
from restore.reservation import State
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

SEGMENTS, ROWS, OBJECTS, BYTES = 2, 50, 10, 1_000
"""What each task holds."""

BEAT = 0.05
"""Seconds between the heartbeats of a step that stands still; a cancel arrives with their answer."""


class World:
    """One target and its store.

    A step is named by its activity, `copy_objects`, or for one task only, `copy_objects/2`. Steps in `held`
    stand still, beating, until released; steps in `errors` fail; steps in `deaf` end normally although they
    were cancelled. `standing` are those that stand still now,
    `failed` those that have failed.
    """

    def __init__(self) -> None:
        self.tasks = 2
        self.reports = False
        self.held: set[str] = set()
        self.deaf: set[str] = set()
        self.errors: dict[str, RestoreError] = {}
        self.standing: set[str] = set()
        self.failed: set[str] = set()
        self.job = 2**40
        self.absent = False
        self.made: set[str] = set()
        self.plans: set[str] = set()
        self.owner: State | None = None
        self.epoch = 0
        self.objects: dict[int, int] = {}
        self.records: set[int] = set()
        self.indexes: set[tuple[int, str]] = set()
        self.completed: set[int] = set()
        self.published: set[int] = set()
        self.completion: Completion | None = None
        self.rollbacks: list[RollbackRequest] = []
        self.working: set[int] = set()
        self.begun: list[int] = []
        self.most_working = 0
        self.active: list[int] = []
        self.active_at_fence: list[int] = []
        self._changed = asyncio.Event()

    @property
    def remains(self) -> list[str]:
        """What of a restore that is not published is in the world, by its kind."""
        kinds = {
            "plan": self.plans,
            "reservation": self.owner,
            "objects": self.objects,
            "records": self.records,
            "indexes": self.indexes,
            "tasks": self.completed,
            "target": self.made,
        }
        return [kind for kind, there in kinds.items() if there]

    def release(self, *steps: str) -> None:
        """Let steps go on; without names, all of them."""
        self.held -= set(steps) or set(self.held)
        self._change()

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Return once the condition holds; it is looked at after each change of this world."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {seconds:g} s: {what}; standing {self.standing}") from None

    async def reached(self, *steps: str) -> None:
        """Return once all these steps stand still."""
        await self.until(lambda: self.standing >= set(steps), f"{steps} are reached")

    def activities(self) -> list[Callable[..., Any]]:
        """Every fake, for a worker."""
        methods = (method for _, method in inspect.getmembers(self, inspect.ismethod))
        return [method for method in methods if hasattr(method, "__temporal_activity_definition")]

    @activity.defn
    async def open_restore(self, request: RestoreRequest) -> Opening:
        await self._step("open_restore")
        if self.owner not in (None, "kept"):
            raise TargetBusy(f"collection {request.target!r} is reserved by restore {self.job}")
        if self.owner is None:
            self.job += 1
        return Opening(
            job_id=str(self.job),
            snapshot_name="nightly",
            search_attributes=True,
            create_target=self.absent and not self.made,
        )

    @activity.defn
    async def create_target(self, order: PlanOrder) -> str:
        self.made.add(order.job_id)
        await self._step("create_target")
        return "449"

    @activity.defn
    async def plan_restore(self, order: PlanOrder) -> PlanRef:
        await self._step("plan_restore")
        self.plans.add(order.job_id)
        return PlanRef(
            job_id=order.job_id,
            collection_id="449",
            snapshot_name="nightly",
            profile=order.request.destination,
            bucket="b",
            key=f"restores/{order.job_id}/plan.json.gz",
            digest="0" * 64,
            tasks=self.tasks,
            segments=SEGMENTS * self.tasks,
            rows=ROWS * self.tasks,
            objects=OBJECTS * self.tasks,
            bytes=BYTES * self.tasks,
        )

    @activity.defn
    async def reserve_target(self, claim: Claim) -> Reservation:
        await self._step("reserve_target")
        self._own("active")
        return Reservation(epoch=self.epoch)

    @activity.defn
    async def copy_objects(self, task: TaskRef) -> CopyCount:
        there = self.objects.get(task.index, 0)
        with self._work(task.index):
            self.begun.append(task.index)
            self.objects[task.index] = max(there, OBJECTS // 2)
            await self._report(task)
            await self._step("copy_objects", task.index)
            self.objects[task.index] = OBJECTS
        return CopyCount(objects=OBJECTS, skipped=there, bytes=BYTES)

    @activity.defn
    async def verify_objects(self, task: TaskRef) -> TaskResult:
        with self._work(task.index):
            await self._step("verify_objects", task.index)
        return TaskResult(segments=SEGMENTS, objects=self.objects[task.index], skipped=0, bytes=BYTES)

    @activity.defn
    async def update_binlogs(self, task: TaskRef) -> int:
        with self._work(task.index):
            await self._step("update_binlogs", task.index)
            self._require(task.epoch)
            self.records.add(task.index)
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
        with self._work(task.index):
            await self._step("complete_task", task.index)
            self._require(task.epoch)
            self.completed.add(task.index)
        self.working.discard(task.index)

    @activity.defn
    async def verify_restore(self, staged: StagedPlan) -> int:
        await self._step("verify_restore")
        self._require(staged.epoch)
        return len(self.records)

    @activity.defn
    async def publish_restore(self, staged: StagedPlan) -> int:
        await self._step("publish_restore")
        self._require(staged.epoch)
        self._own("publishing")
        self.published = set(self.completed)
        return len(self.published)

    @activity.defn
    async def complete_restore(self, completion: Completion) -> Certified:
        await self._step("complete_restore")
        self.completion = completion
        self.owner = None
        return Certified(uri=f"s3://b/restores/{completion.staged.plan.job_id}/certificate.json")

    @activity.defn
    async def keep_restore(self, staged: StagedPlan) -> None:
        await self._step("keep_restore")
        self._require(staged.epoch)
        self._own("kept")

    @activity.defn
    async def fence_restore(self, request: RollbackRequest) -> Fence:
        self.rollbacks.append(request)
        self.active_at_fence += self.active
        await self._step("fence_restore")
        if self.owner:
            self._own("rolling_back")
        return Fence(
            job_id=request.job_id,
            destination=request.destination,
            epoch=self.epoch if self.owner else 0,
            reason=request.reason,
        )

    @activity.defn
    async def remove_records(self, fence: Fence) -> int:
        await self._step("remove_records")
        removed = len(self.records)
        self.records, self.indexes, self.completed = set(), set(), set()
        return removed

    @activity.defn
    async def remove_objects(self, fence: Fence) -> int:
        await self._step("remove_objects")
        removed = sum(self.objects.values())
        self.objects = {}
        return removed

    @activity.defn
    async def remove_target(self, fence: Fence) -> Removal:
        await self._step("remove_target")
        there = fence.job_id in self.made
        self.made.discard(fence.job_id)
        return "removed" if there else "none"

    @activity.defn
    async def forget_restore(self, fence: Fence) -> None:
        await self._step("forget_restore")
        self.owner = None
        self.plans.discard(fence.job_id)

    async def _index(self, task: TaskRef, step: str) -> int:
        with self._work(task.index):
            await self._step(step, task.index)
            self._require(task.epoch)
            self.indexes.add((task.index, step))
        return 1

    async def _step(self, name: str, index: int | None = None) -> None:
        own = name if index is None else f"{name}/{index}"
        try:
            await self._stand({name, own})
        except asyncio.CancelledError:
            if self.deaf.isdisjoint({name, own}):
                raise
        for each in (name, own):
            if each in self.errors:
                self.failed.add(each)
                self._change()
                raise self.errors[each]

    async def _stand(self, names: set[str]) -> None:
        """Stand still while held; what is cancelled leaves as it would leave a store."""
        try:
            while names & self.held:
                self.standing |= names
                self._change()
                activity.heartbeat()
                await self._change_or_beat()
        finally:
            self.standing -= names
            self._change()

    async def _change_or_beat(self) -> None:
        try:
            async with asyncio.timeout(BEAT):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _report(self, task: TaskRef) -> None:
        if self.reports:
            parent = activity.client().get_workflow_handle(task.parent)
            report = CopyReport(index=task.index, objects=self.objects[task.index], bytes=BYTES // 2)
            await parent.signal("report_copied", report)

    @contextmanager
    def _work(self, index: int) -> Iterator[None]:
        """A task is active during its steps, and works from the first to the last or the one that fails."""
        self.active.append(index)
        self.working.add(index)
        self.most_working = max(self.most_working, len(self.working))
        try:
            yield
        except BaseException:
            self.working.discard(index)
            raise
        finally:
            self.active.remove(index)
            self._change()

    def _own(self, state: State) -> None:
        self.owner = state
        self.epoch += 1

    def _require(self, epoch: int) -> None:
        if epoch != self.epoch:
            raise Fenced(f"the reservation is at epoch {self.epoch}, this restore's is {epoch}")

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
