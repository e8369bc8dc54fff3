"""verify_objects and verify_restore: nothing becomes visible that was not looked at again."""

from collections import Counter
from datetime import timedelta

from temporalio import activity

from activities.copy_metrics import count_verified
from activities.proving import Prover
from activities.pulse import Pulse, run_blocking
from activities.surviving import require_survival
from formats.catalog import is_live
from formats.proto.common_pb2 import Dropped
from formats.proto.data_pb2 import SegmentInfo
from restore.certificate import TaskProof
from restore.errors import Fenced, ObjectMismatch, TargetNotEmpty
from restore.plan import Plan, PlanRef
from restore.row_times import ahead
from restore.steps import StagedPlan, TaskRef, TaskResult
from stores.clients import Clients
from stores.planned_snapshot import PlannedSnapshot
from stores.proofs import ProofArchive
from stores.reservations import Reservations
from stores.staged_records import collection_records, keys_of, planned_records
from stores.target_clock import TargetClock

_LOOK = timedelta(seconds=1)
"""The longest pause between two looks at the target's clock."""


class VerifyActivities:
    """Reads only, but for the proofs that it leaves beside the plan."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def verify_objects(self, task: TaskRef) -> TaskResult:
        """Prove every object of the task and return what it holds, in bytes as found.

        Raises ObjectMissing or ObjectMismatch naming the first object that is not as it should be.
        """
        return await run_blocking(self._clients.work_threads, lambda pulse: self._objects(task, pulse))

    @activity.defn
    async def verify_restore(self, staged: StagedPlan) -> int:
        """Compare every planned record with etcd, and rows per partition; return the number of records.

        Before that it waits until the target's clock has passed the newest row, so that a cancel still
        helps, and sees that the snapshot's own files are still what was planned from. Raises SnapshotCorrupt
        for one that is not, Fenced for a staged record that was changed or removed, TargetNotEmpty for an
        unplanned one, ObjectMissing for an object that a running Milvus collected since it was proved.
        """
        return await run_blocking(self._clients.work_threads, lambda pulse: self._restore(staged, pulse))

    def _objects(self, task: TaskRef, pulse: Pulse) -> TaskResult:
        archive = self._clients.archive(task.plan.profile)
        plan = archive.plan(task.plan)
        segments = list(archive.segments(task.plan, task.index))
        source, destination = (
            self._clients.objects(plan.request.source),
            self._clients.objects(task.plan.profile),
        )
        prover = Prover(source, destination, plan, self._clients.list_threads)
        planned = [each for segment in segments for each in plan.objects(segment)]
        listed = tuple(str(each.source.segment_id) for each in segments if not each.tree.named)
        proof = TaskProof(objects=prover.prove(planned, pulse), by_listing=listed)
        pulse.check()
        ProofArchive(destination, archive, task.plan).put(task.index, proof)
        count_verified([each.size for each in proof.objects])
        return TaskResult(
            segments=len(segments),
            objects=len(proof.objects),
            skipped=0,
            bytes=sum(each.size for each in proof.objects),
        )

    def _restore(self, staged: StagedPlan, pulse: Pulse) -> int:
        plan = self._clients.archive(staged.plan.profile).plan(staged.plan)
        metadata, keys = self._clients.metadata(staged.plan.profile), keys_of(plan)
        self._require_reservation(staged, plan)
        _await_clock(TargetClock(metadata, keys), plan, pulse)
        self._require_snapshot(staged, plan, pulse)
        there = {
            record.key: record.value
            for record in collection_records(metadata, keys, plan.target.collection_id)
            if is_live(record.value)
        }
        rows: Counter[int] = Counter()
        checked = 0
        for segment in self._clients.archive(staged.plan.profile).all_segments(staged.plan):
            pulse.check()
            planned = planned_records(plan, segment)
            for key, value in planned.items():
                _require_equal(key, there.pop(key, None), value)
            rows[segment.target.partition_id] += segment.source.num_of_rows
            checked += len(planned)
        _require_nothing_more(there, plan)
        _require_rows(rows, staged.plan)
        require_survival(self._clients, staged, plan, pulse)
        return checked

    def _require_snapshot(self, staged: StagedPlan, plan: Plan, pulse: Pulse) -> None:
        source = self._clients.objects(plan.request.source)
        snapshot = PlannedSnapshot(source, plan, self._clients.list_threads)
        snapshot.require_unchanged(
            self._clients.archive(staged.plan.profile).all_segments(staged.plan), pulse.check
        )

    def _require_reservation(self, staged: StagedPlan, plan: Plan) -> None:
        reservations = Reservations(self._clients.metadata(staged.plan.profile), keys_of(plan))
        held = reservations.look(plan.target.collection_id)
        if held is None or held[1].mod_revision != staged.epoch:
            raise reservations.lost(plan.target.collection_id, held[0] if held else None)


def _await_clock(clock: TargetClock, plan: Plan, pulse: Pulse) -> None:
    """Return once no row would be from the future; planning has refused what would take long."""
    while lead := ahead(plan.newest, clock.read()):
        pulse.wait(min(lead, _LOOK).total_seconds())


def _require_equal(key: str, found: bytes | None, planned: bytes) -> None:
    if found is None:
        raise Fenced(f"the staged record {key} is gone; something else removed it; nothing is published")
    if found != planned:
        raise Fenced(
            f"the staged record {key} ({len(found)} bytes) is not the planned one ({len(planned)} bytes); "
            "something else wrote it, so nothing is published"
        )


def _require_nothing_more(left: dict[str, bytes], plan: Plan) -> None:
    keys = keys_of(plan)
    dropped = _dropped(left, keys.segments(plan.target.collection_id))
    for key in sorted(left):
        if not dropped.isdisjoint(key.split("/")):
            continue
        raise TargetNotEmpty(
            f"collection {plan.target.collection!r} holds the record {key}, not written by this restore; "
            "a restore needs a target that nobody else writes to"
        )


def _dropped(records: dict[str, bytes], prefix: str) -> set[str]:
    """The ids of segments that Milvus has dropped and not yet removed: a collection of those is empty."""
    return {
        key.rpartition("/")[2]
        for key, value in records.items()
        if key.startswith(prefix) and SegmentInfo.FromString(value).state == Dropped
    }


def _require_rows(rows: Counter[int], plan: PlanRef) -> None:
    if rows.total() != plan.rows:
        raise ObjectMismatch(f"the staged segments have {rows.total()} rows, expected {plan.rows}")
