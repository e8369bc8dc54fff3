"""reserve_target: the target is this restore's, or the restore ends; keep_restore: for a later run."""

import hashlib

from temporalio import activity

from activities.pulse import run_blocking
from formats.job_records import kept_job, mapping, pending_job
from formats.proto.data_pb2 import CopySegmentIDMapping, CopySegmentTaskFailed
from restore.errors import TargetNotEmpty
from restore.plan import Plan, SegmentPlan
from restore.reservation import Owner
from restore.steps import Claim, Reservation, StagedPlan
from stores.clients import Clients
from stores.collection_state import segments_of
from stores.job_ledger import JobLedger
from stores.ports import Guard
from stores.reservations import Reservations, now
from stores.staged_records import keys_of

_KEPT = "the restore failed and was kept for a later run; its workflow tells why"


class ReserveActivities:
    """The one place where a target changes hands to a restore."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def reserve_target(self, claim: Claim) -> Reservation:
        """Reserve the target and write the job's record, in one transaction.

        Raises TargetBusy naming the owner, TargetNotEmpty when the target was filled since planning.
        """
        return await run_blocking(self._clients.work_threads, lambda _: self._reserve(claim))

    @activity.defn
    async def keep_restore(self, staged: StagedPlan) -> None:
        """Leave what is staged for a later run to the same target, which takes it over."""
        await run_blocking(self._clients.work_threads, lambda _: self._keep(staged))

    def _reserve(self, claim: Claim) -> Reservation:
        plan = self._clients.archive(claim.plan.profile).plan(claim.plan)
        reservations, collection = self._reservations(claim.plan.profile, plan), plan.target.collection_id
        fresh = reservations.look(collection) is None
        mappings = self._mappings(claim, plan)
        job = {
            keys_of(plan).copy_segment_job(plan.job_id): new_job(
                plan, [each for task in mappings for each in task]
            )
        }
        epoch = reservations.take(collection, _owner(claim, plan), job)
        if fresh:
            self._require_empty(claim.plan.profile, plan)
        ledger = JobLedger(self._clients.metadata(claim.plan.profile), keys_of(plan))
        if not ledger.open_tasks(plan, mappings, reservations.guard(collection, epoch), now()):
            raise reservations.lost(collection, None)
        return Reservation(epoch=epoch)

    def _mappings(self, claim: Claim, plan: Plan) -> list[list[CopySegmentIDMapping]]:
        """Which segment becomes which, task by task."""
        archive = self._clients.archive(claim.plan.profile)
        return [
            [_mapping(segment) for segment in archive.segments(claim.plan, index)]
            for index in range(len(plan.tasks))
        ]

    def _require_empty(self, profile: str, plan: Plan) -> None:
        """Look again under the reservation: a restore may have finished between planning and now."""
        count, some = segments_of(self._clients.metadata(profile), keys_of(plan), plan.target.collection_id)
        if count:
            raise TargetNotEmpty(
                f"collection {plan.target.collection!r} received {count} segments (such as {some}) since "
                "this restore was planned; a restore needs an empty target"
            )

    def _keep(self, staged: StagedPlan) -> None:
        plan = self._clients.archive(staged.plan.profile).plan(staged.plan)
        reservations = self._reservations(staged.plan.profile, plan)
        collection, key = plan.target.collection_id, keys_of(plan).copy_segment_job(plan.job_id)
        guard = reservations.guard(collection, staged.epoch)
        reason = self._give_up(plan, staged.plan.profile, guard)
        job = self._clients.metadata(staged.plan.profile).get(key)
        puts = {key: kept_job(job.value, reason)} if job else {}
        reservations.change(collection, staged.plan.job_id, staged.epoch, "kept", puts)

    def _give_up(self, plan: Plan, profile: str, guard: Guard) -> str:
        """Fail the tasks that nobody works on any more, for the reason of the one that failed; return it."""
        ledger = JobLedger(self._clients.metadata(profile), keys_of(plan))
        reasons = (task.reason for task in ledger.tasks(plan.job_id, CopySegmentTaskFailed))
        reason = next(reasons, _KEPT)
        ledger.fail(plan.task_ids, guard, reason=reason, now=now())
        return reason

    def _reservations(self, profile: str, plan: Plan) -> Reservations:
        return Reservations(self._clients.metadata(profile), keys_of(plan))


def fingerprint(
    *,
    uri: str,
    etag: str,
    collection_id: int,
    partitions: tuple[str, ...] | None,
    rewrite_descriptors: bool,
) -> str:
    """What is restored where, in short: a kept restore is gone on with only for the same."""
    chosen = "*" if partitions is None else ",".join(sorted(partitions))
    how = "\nrewritten" if rewrite_descriptors else ""  # without it as before there was a choice
    return hashlib.sha256(f"{uri}\n{etag}\n{collection_id}\n{chosen}{how}".encode()).hexdigest()


def _owner(claim: Claim, plan: Plan) -> Owner:
    return Owner(
        job_id=claim.plan.job_id,
        workflow_id=claim.workflow_id,
        state="active",
        since=now().isoformat(timespec="seconds"),
        fingerprint=fingerprint(
            uri=plan.snapshot.uri,
            etag=plan.snapshot.etag,
            collection_id=plan.target.collection_id,
            partitions=plan.request.partitions,
            rewrite_descriptors=plan.request.rewrite_descriptors,
        ),
    )


def _mapping(segment: SegmentPlan) -> CopySegmentIDMapping:
    return mapping(segment.source.segment_id, segment.target.segment_id, segment.target.partition_id)


def new_job(plan: Plan, mappings: list[CopySegmentIDMapping]) -> bytes:
    """The record of a job that begins now."""
    return pending_job(
        job_id=plan.job_id,
        collection_id=plan.target.collection_id,
        snapshot_name=plan.snapshot.name,
        source_collection_id=plan.snapshot.collection_id,
        location=plan.snapshot.key,
        mappings=mappings,
        rows=sum(chunk.rows for chunk in plan.chunks),
        now=now(),
    )
