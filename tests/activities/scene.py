"""One restore at a time, taken to any of its steps by the real activities."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.binlogs import BinlogActivities
from activities.copying import CopyActivities
from activities.indexes import IndexActivities
from activities.opening import OpeningActivities
from activities.planning import PlanningActivities
from activities.publishing import PublishActivities
from activities.reserving import ReserveActivities
from activities.rollback import RollbackActivities
from activities.verifying import VerifyActivities
from formats.keys import MetaKeys
from restore.plan import Plan, PlannedObject, PlanRef, SegmentPlan
from restore.request import RestoreRequest
from restore.settings import Settings
from restore.steps import (
    Certified,
    Claim,
    Completion,
    CopyCount,
    Fence,
    PlanOrder,
    RollbackRequest,
    StagedPlan,
    TaskRef,
    TaskResult,
)
from samples.catalog import write_source, write_target
from samples.snapshot import WrittenSample
from stores.clients import Clients
from stores.ports import MetadataStore, ObjectStore, Transaction
from tests.activities.image import Image

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

A = TypeVar("A")
R = TypeVar("R")

TARGET = "orders"
WORKFLOW = f"restore/default/{TARGET}"
PART = ("part_1",)
"""One segment with rows and one of deletes: half of the sample, for tests that need no more."""

STARTED = "2026-01-01T00:00:00+00:00"


class SharedClients(Clients):
    """Connections that outlive a test, or what a test puts in their place, by profile."""

    def __init__(self, settings: Settings, stores: dict[str, ObjectStore]) -> None:
        super().__init__(settings)
        self.stores = stores
        self.metadata_stores: dict[str, MetadataStore] = {}

    def objects(self, name: str) -> ObjectStore:
        """The profile's object store."""
        return self.stores.get(name) or super().objects(name)

    def metadata(self, name: str) -> MetadataStore:
        """The profile's etcd."""
        return self.metadata_stores.get(name) or super().metadata(name)

    def forget_plans(self) -> None:
        """Have read no plan yet, as another worker has not."""
        self._open.pop(("plans", "default"), None)


class Scene:
    """A sample in the bucket of profile `origin`, and an empty target in the deployment of `default`."""

    def __init__(
        self,
        clients: SharedClients,
        s3: "S3Client",
        metadata: MetadataStore,
        written: WrittenSample,
        temporal: Client,
    ) -> None:
        self.clients = clients
        self.s3 = s3
        self.metadata = metadata
        self.written = written
        self.bucket = clients.profile("default").s3.bucket
        self.root = clients.profile("default").etcd.root_path
        self.keys: MetaKeys = clients.keys("default")
        self.temporal = temporal
        self.collection = self.add_target(TARGET)

    # The world.

    def add_target(self, name: str) -> int:
        """The id of a new, empty collection of the sample's shape."""
        return write_target(self.put, self.written.shape, meta=f"{self.root}/meta", collection=name)

    def add_source_records(self) -> None:
        """Have the source's collection and its committed snapshot in the catalog, its file in the bucket."""
        write_source(self.put, self.written, meta=f"{self.root}/meta")
        self.s3.put_object(
            Bucket=self.bucket,
            Key=self.written.key,
            Body=self.body(self.written.key, self.written.bucket),
        )

    def put(self, key: str, value: bytes) -> None:
        """Write a record past the restore."""
        assert self.metadata.commit(Transaction(puts={key: value}))

    def drop(self, key: str) -> None:
        """Remove a record past the restore."""
        assert self.metadata.get(key) is not None
        assert self.metadata.commit(Transaction(deletes=[key]))

    def value(self, key: str) -> bytes:
        """The value of a record that is there."""
        record = self.metadata.get(key)
        assert record is not None, key
        return record.value

    def image(self) -> Image:
        """All that the destination holds now."""
        return Image.take(self.s3, self.bucket, self.metadata, self.root)

    def body(self, key: str, bucket: str = "") -> bytes:
        """The bytes of an object of the destination, or of another bucket."""
        return self.s3.get_object(Bucket=bucket or self.bucket, Key=key)["Body"].read()

    @contextmanager
    def source(self, key: str, body: bytes | None) -> Iterator[None]:
        """Have another body, or none, at a key of the source for a while."""
        bucket, whole = self.written.bucket, self.body(key, self.written.bucket)
        if body is None:
            self.s3.delete_object(Bucket=bucket, Key=key)
        else:
            self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        try:
            yield
        finally:
            self.s3.put_object(Bucket=bucket, Key=key, Body=whole)

    def place(self, planned: PlannedObject, body: bytes | None = None) -> int:
        """Put an object, or other bytes, at its target past the restore; the number of bytes."""
        if body is None:
            body = self.body(planned.source, self.written.bucket)
        # A copy that the restore makes has no such mark.
        self.s3.put_object(Bucket=self.bucket, Key=planned.target, Body=body, Metadata={"placed": "by-hand"})
        return len(body)

    def placed(self, planned: PlannedObject) -> bool:
        """Whether the object at the target is still the one that was put there by `place`."""
        return bool(self.s3.head_object(Bucket=self.bucket, Key=planned.target)["Metadata"])

    # What a plan says.

    def the_plan(self, ref: PlanRef) -> Plan:
        """The header that a reference leads to."""
        return self.clients.archive("default").plan(ref)

    def segments(self, ref: PlanRef) -> list[SegmentPlan]:
        """Every segment of a plan in order."""
        return list(self.clients.archive("default").all_segments(ref))

    def objects(self, ref: PlanRef) -> list[PlannedObject]:
        """Every object of a plan in order."""
        plan = self.the_plan(ref)
        return [each for segment in self.segments(ref) for each in plan.objects(segment)]

    # The steps.

    async def run(self, step: Callable[[A], Awaitable[R]], argument: A) -> R:
        """The answer of an activity, run as Temporal runs it."""
        return await ActivityEnvironment(self.temporal).run(step, argument)

    def start(
        self, step: Callable[[A], Coroutine[Any, Any, R]], argument: A
    ) -> tuple[ActivityEnvironment, "asyncio.Task[R]"]:
        """An activity under way, and the environment that can cancel it."""
        environment = ActivityEnvironment(self.temporal)
        return environment, asyncio.ensure_future(environment.run(step, argument))

    def request(self, **changes: Any) -> RestoreRequest:
        """The usual request, or one that differs from it."""
        usual = {"snapshot": self.written.uri, "target": TARGET, "source": "origin"}
        return RestoreRequest.model_validate({**usual, **changes})

    async def open(self, **changes: Any) -> str:
        """The id of a new job, or of a kept one."""
        opening = await self.run(OpeningActivities(self.clients).open_restore, self.request(**changes))
        return opening.job_id

    async def plan(self, **changes: Any) -> PlanRef:
        """A stored plan."""
        order = PlanOrder(job_id=await self.open(**changes), request=self.request(**changes))
        return await self.run(PlanningActivities(self.clients).plan_restore, order)

    async def reserve(self, ref: PlanRef) -> StagedPlan:
        """A plan whose target is reserved."""
        claim = Claim(plan=ref, workflow_id=WORKFLOW)
        reservation = await self.run(ReserveActivities(self.clients).reserve_target, claim)
        return StagedPlan(plan=ref, epoch=reservation.epoch)

    async def begin(self, **changes: Any) -> StagedPlan:
        """A restore that may copy."""
        return await self.reserve(await self.plan(**changes))

    async def copy(self, staged: StagedPlan, index: int = 0) -> CopyCount:
        """Copy a task."""
        return await self.run(CopyActivities(self.clients).copy_objects, task(staged, index))

    async def verify(self, staged: StagedPlan, index: int = 0) -> TaskResult:
        """Prove the objects of a task."""
        return await self.run(VerifyActivities(self.clients).verify_objects, task(staged, index))

    async def register(self, staged: StagedPlan, index: int = 0) -> None:
        """Write the records of a task."""
        binlogs, indexes = BinlogActivities(self.clients), IndexActivities(self.clients)
        for step in (
            binlogs.update_binlogs,
            indexes.sync_vector_scalar_indexes,
            indexes.sync_text_indexes,
            indexes.sync_json_indexes,
            binlogs.complete_task,
        ):
            await self.run(step, task(staged, index))

    async def stage(self, **changes: Any) -> StagedPlan:
        """A restore of which all is in place and nothing visible."""
        staged = await self.begin(**changes)
        for index in range(staged.plan.tasks):
            await self.copy(staged, index)
            await self.verify(staged, index)
            await self.register(staged, index)
        return staged

    async def keep(self, staged: StagedPlan) -> StagedPlan:
        """Leave what is there for a later run."""
        await self.run(ReserveActivities(self.clients).keep_restore, staged)
        return staged

    async def prove(self, staged: StagedPlan) -> int:
        """Compare the staged records with the plan."""
        return await self.run(VerifyActivities(self.clients).verify_restore, staged)

    async def publish(self, staged: StagedPlan) -> int:
        """Make the segments visible."""
        return await self.run(PublishActivities(self.clients).publish_restore, staged)

    async def complete(self, staged: StagedPlan) -> Certified:
        """End a published restore."""
        return await self.run(PublishActivities(self.clients).complete_restore, completion(staged))

    async def finish(self, **changes: Any) -> StagedPlan:
        """A whole restore."""
        staged = await self.stage(**changes)
        await self.prove(staged)
        await self.publish(staged)
        await self.complete(staged)
        return staged

    async def fence(self, job_id: str, reason: str = "tried out") -> Fence:
        """Begin a rollback."""
        return await self.run(
            RollbackActivities(self.clients).fence_restore, RollbackRequest(job_id=job_id, reason=reason)
        )

    async def roll_back(self, job_id: str, reason: str = "tried out") -> tuple[int, int]:
        """Undo a restore; the numbers of removed records and objects."""
        steps, fence = RollbackActivities(self.clients), await self.fence(job_id, reason)
        records = await self.run(steps.remove_records, fence)
        objects = await self.run(steps.remove_objects, fence)
        await self.run(steps.forget_restore, fence)
        return records, objects


def task(staged: StagedPlan, index: int = 0) -> TaskRef:
    """A task of a plan, whose parent nobody has ever started."""
    return TaskRef(plan=staged.plan, epoch=staged.epoch, index=index, parent=f"{WORKFLOW}/never-started")


def completion(staged: StagedPlan) -> Completion:
    """What a workflow tells at the end of a restore that copied everything."""
    plan = staged.plan
    return Completion(
        staged=staged, objects=plan.objects, objects_skipped=0, bytes=plan.bytes, started_at=STARTED
    )
