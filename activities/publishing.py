"""publish_restore and complete_restore: segments become visible, then the job's record says so."""

import platform
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from temporalio import activity

from activities.pinning import let_go
from activities.pulse import Pulse, run_blocking
from formats.job_records import completed_job
from formats.records import published
from restore.certificate import Certificate, ProofSums
from restore.plan import Plan, PlanRef
from restore.steps import Certified, Completion, StagedPlan
from stores.clients import Clients
from stores.job_ledger import JobLedger
from stores.ports import Location
from stores.proofs import ProofArchive
from stores.reservations import Reservations
from stores.staged_records import hidden_segments, keys_of, planned_records, segment_key


class PublishActivities:
    """Past the point of no return: these are repeated until they succeed."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def publish_restore(self, staged: StagedPlan) -> int:
        """Make every planned segment Flushed, in guarded transactions; return their number.

        What is visible already belongs to the target and is left as it is. Raises Fenced when the
        reservation is lost; then nothing was published.
        """
        return await run_blocking(self._clients.work_threads, lambda pulse: self._publish(staged, pulse))

    @activity.defn
    async def complete_restore(self, completion: Completion) -> Certified:
        """Write the certificate, then the commit marker: the job Completed and the target free.

        Raises Fenced for a restore that is not being published; what is completed stays as it is.
        """
        return await run_blocking(self._clients.work_threads, lambda _: self._complete(completion))

    def _publish(self, staged: StagedPlan, pulse: Pulse) -> int:
        plan = self._clients.archive(staged.plan.profile).plan(staged.plan)
        reservations = self._reservations(staged, plan)
        collection = plan.target.collection_id
        again = self._publishing(staged, plan) is not None
        if not again and self._certified(staged.plan):
            return staged.plan.segments  # finished by another attempt
        epoch = reservations.change(collection, staged.plan.job_id, staged.epoch, "publishing", {})
        guards = [reservations.guard(collection, epoch)]
        metadata = self._clients.metadata(staged.plan.profile)
        if metadata.commit_all(guards, self._visible(staged, plan, pulse, again=again)) is None:
            if self._publishing(staged, plan) is None and self._certified(staged.plan):
                return staged.plan.segments
            raise reservations.lost(collection, None)
        return staged.plan.segments

    def _visible(
        self, staged: StagedPlan, plan: Plan, pulse: Pulse, *, again: bool
    ) -> Iterator[tuple[str, bytes]]:
        """Yield what makes a segment visible, once: Milvus may have compacted or dropped it since."""
        hidden = hidden_segments(self._clients.metadata(staged.plan.profile), plan)
        for segment in self._clients.archive(staged.plan.profile).all_segments(staged.plan):
            pulse.check()
            key = segment_key(plan, segment)
            if hidden.get(key, not again):
                yield key, published(planned_records(plan, segment)[key])

    def _complete(self, completion: Completion) -> Certified:
        staged = completion.staged
        plan = self._clients.archive(staged.plan.profile).plan(staged.plan)
        objects, at = self._clients.objects(staged.plan.profile), self._certificate_at(staged.plan)
        epoch = self._publishing(staged, plan)
        if epoch is not None:
            moment = datetime.now(UTC)
            body = self._certificate(completion, plan, moment).model_dump_json(indent=2).encode()
            objects.put(at, body + b"\n")
            self._commit(staged, plan, epoch, moment)
            let_go(self._clients, plan, staged.plan.profile)
        elif not self._certified(staged.plan):
            raise self._reservations(staged, plan).lost(plan.target.collection_id, None)
        return Certified(uri=str(at))

    def _certified(self, ref: PlanRef) -> bool:
        return self._clients.objects(ref.profile).stat(self._certificate_at(ref)) is not None

    def _certificate_at(self, ref: PlanRef) -> Location:
        return Location(ref.bucket, self._clients.archive(ref.profile).certificate_key(ref.job_id))

    def _publishing(self, staged: StagedPlan, plan: Plan) -> int | None:
        """The epoch, or None: a restore that no longer publishes and has a certificate is completed."""
        held = self._reservations(staged, plan).look(plan.target.collection_id)
        if held is None or (held[0].job_id, held[0].state) != (staged.plan.job_id, "publishing"):
            return None
        return held[1].mod_revision

    def _commit(self, staged: StagedPlan, plan: Plan, epoch: int, moment: datetime) -> None:
        key = keys_of(plan).copy_segment_job(plan.job_id)
        job = self._clients.metadata(staged.plan.profile).get(key)
        puts = {key: completed_job(job.value, moment)} if job else {}
        reservations, collection = self._reservations(staged, plan), plan.target.collection_id
        # When the epoch is over, a late attempt of this very step has committed: nothing else ends it.
        if not reservations.release(collection, epoch, puts) and self._publishing(staged, plan) is not None:
            raise reservations.lost(collection, None)

    def _reservations(self, staged: StagedPlan, plan: Plan) -> Reservations:
        return Reservations(self._clients.metadata(staged.plan.profile), keys_of(plan))

    def _certificate(self, completion: Completion, plan: Plan, moment: datetime) -> Certificate:
        ref = completion.staged.plan
        proved = self._proved(ref)
        return Certificate(
            job_id=ref.job_id,
            request=plan.request,
            snapshot=plan.snapshot,
            target=plan.target,
            segments=ref.segments,
            rows=ref.rows,
            objects=completion.objects,
            objects_skipped=completion.objects_skipped,
            bytes=completion.bytes,
            **proved.model_dump(),
            target_created=self._clients.origins(ref.profile, ref.job_id).find() is not None,
            started_at=completion.started_at,
            completed_at=moment.isoformat(),
            software=f"milvus-restore {version('milvus-restore')}",
            warnings=plan.warnings,
            plan_key=ref.key,
            plan_digest=ref.digest,
            tasks=ref.tasks,
            retried=self._retried(ref, plan),
            versions=_versions(),
        )

    def _retried(self, ref: PlanRef, plan: Plan) -> int:
        ledger = JobLedger(self._clients.metadata(ref.profile), keys_of(plan))
        return sum(max(0, task.task_version - 1) for task in ledger.tasks(plan.job_id))

    def _proved(self, ref: PlanRef) -> ProofSums:
        proofs = ProofArchive(self._clients.objects(ref.profile), self._clients.archive(ref.profile), ref)
        return ProofSums.of(proofs.get(index) for index in range(ref.tasks))


def _versions() -> dict[str, str]:
    """What did the work: ours, Python's and that of the parts that talk to Temporal and the stores."""
    parts = ("milvus-restore", "temporalio", "boto3")
    return {"python": platform.python_version()} | {part: version(part) for part in parts}
