"""The steps of RollbackRestore: fence off, then metadata, then objects, then the plan itself."""

from collections.abc import Iterable, Iterator
from itertools import chain, islice

from temporalio import activity

from activities.aftermath import unrest_after
from activities.pinning import let_go
from activities.pulse import Pulse, run_blocking
from activities.reserving import new_job
from formats.job_records import failed_job, is_completed, is_ended
from formats.paths import prefixes
from restore.errors import InvalidRequest, ObjectMissing
from restore.plan import Plan, PlanRef
from restore.reservation import Owner
from restore.steps import Fence, RollbackRequest
from stores.clients import Clients
from stores.job_ledger import JobLedger
from stores.ports import Guard, Location, Transaction
from stores.proofs import ProofArchive
from stores.reservations import Reservations, now
from stores.staged_records import collection_records, keys_of, planned_records
from stores.sweep import Sweep

_DELETES = 100
"""Deletes per transaction, below etcd's 128 operations."""


class RollbackActivities:
    """Every step may be repeated; a step finds its work in the plan, not in what it remembers."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def fence_restore(self, request: RollbackRequest) -> Fence:
        """Raise the epoch, so that nothing of the restore writes any more.

        InvalidRequest when the restore is published or being published: then its segments are the target's;
        and when somebody rolls back by hand what still runs.
        """
        threads = self._clients.work_threads
        unrest = request.unrest_seconds
        if unrest is None:
            owner = await run_blocking(threads, lambda _: self._owner(request))
            unrest = await unrest_after(owner.workflow_id) if owner else 0.0
        fence = await run_blocking(threads, lambda _: self._fence(request))
        return fence.model_copy(update={"unrest_seconds": unrest})

    @activity.defn
    async def remove_records(self, fence: Fence) -> int:
        """Remove every planned record that is there, and return their number."""
        return await run_blocking(
            self._clients.work_threads, lambda pulse: self._remove_records(fence, pulse)
        )

    @activity.defn
    async def remove_objects(self, fence: Fence) -> int:
        """Remove every planned object and unfinished upload that is there; return the objects' number."""
        return await run_blocking(
            self._clients.work_threads, lambda pulse: self._remove_objects(fence, pulse)
        )

    @activity.defn
    async def forget_restore(self, fence: Fence) -> None:
        """Mark the job failed, release the target, then remove the plan: the last trace that leads back."""
        await run_blocking(self._clients.work_threads, lambda _: self._forget(fence))

    def _plan(self, fence: Fence | RollbackRequest) -> tuple[PlanRef, Plan] | None:
        archive = self._clients.archive(fence.destination)
        ref = archive.find(_number(fence.job_id))
        return (ref, archive.plan(ref)) if ref else None

    def _reservations(self, destination: str, plan: Plan) -> Reservations:
        return Reservations(self._clients.metadata(destination), keys_of(plan))

    def _owner(self, request: RollbackRequest) -> Owner | None:
        found = self._plan(request)
        if found is None:
            return None
        held = self._reservations(request.destination, found[1]).look(found[1].target.collection_id)
        return held[0] if held and held[0].job_id == request.job_id else None

    def _fence(self, request: RollbackRequest) -> Fence:
        epoch, found = 0, self._plan(request)
        if found:
            plan = found[1]
            self._refuse_published(request, plan)
            epoch = self._raise_epoch(request, plan)
        else:
            self._require_nothing_held(request)
        return Fence(
            job_id=request.job_id, destination=request.destination, epoch=epoch, reason=request.reason
        )

    def _require_nothing_held(self, request: RollbackRequest) -> None:
        """A restore without a plan has made nothing; one that holds its target has lost its plan."""
        profile, keys = self._clients.profile(request.destination), self._clients.keys(request.destination)
        held = Reservations(self._clients.metadata(request.destination), keys).held_by(request.job_id)
        if held is not None:
            key = self._clients.archive(request.destination).header_key(request.job_id)
            raise ObjectMissing(
                f"{Location(profile.s3.bucket, key)}, the plan of restore {request.job_id}, is absent, so "
                f"that nobody can tell what it has made in collection {held}, which it holds; put the "
                f"plan back, or drop the collection and then its reservation, {keys.reservation(held)}"
            )

    def _refuse_published(self, request: RollbackRequest, plan: Plan) -> None:
        record = self._clients.metadata(request.destination).get(keys_of(plan).copy_segment_job(plan.job_id))
        # The job's record is removed after some hours, the certificate stays as long as the plan.
        _refuse_publishing(self._owner(request))
        if (record and is_completed(record.value)) or self._certified(request, plan):
            raise InvalidRequest(
                f"restore {plan.job_id} is completed: its segments are published in collection "
                f"{plan.target.collection!r}; drop the collection instead of rolling back"
            )

    def _certified(self, request: RollbackRequest, plan: Plan) -> bool:
        key = self._clients.archive(request.destination).certificate_key(plan.job_id)
        at = Location(plan.target.bucket, key)
        return self._clients.objects(request.destination).stat(at) is not None

    def _raise_epoch(self, request: RollbackRequest, plan: Plan) -> int:
        reservations = self._reservations(request.destination, plan)
        collection = plan.target.collection_id
        held = reservations.look(collection)
        if held is None or held[0].job_id != request.job_id:
            self._end_unreserved(request, plan)
            held = reservations.look(collection)
        if held is None or held[0].job_id != request.job_id:
            return 0
        _refuse_publishing(held[0])
        return reservations.change(collection, request.job_id, held[1].mod_revision, "rolling_back", {})

    def _end_unreserved(self, request: RollbackRequest, plan: Plan) -> None:
        """Record the job as failed unless it has a record: then a late reserve_target fails as well."""
        key = keys_of(plan).copy_segment_job(plan.job_id)
        ended = failed_job(new_job(plan, []), request.reason, now())
        self._clients.metadata(request.destination).commit(Transaction([Guard(key, 0)], {key: ended}))

    def _guards(self, fence: Fence, plan: Plan) -> list[Guard]:
        # Without a reservation nothing can be writing, and the ids are this restore's alone.
        reservations = self._reservations(fence.destination, plan)
        return [reservations.guard(plan.target.collection_id, fence.epoch)] if fence.epoch else []

    def _remove_records(self, fence: Fence, pulse: Pulse) -> int:
        found = self._plan(fence)
        if found is None:
            return 0
        ref, plan = found
        metadata = self._clients.metadata(fence.destination)
        there = collection_records(metadata, keys_of(plan), plan.target.collection_id, keys_only=True)
        present = {record.key for record in there}
        damaged: list[str] = []
        segments = self._clients.archive(fence.destination).readable_segments(ref, damaged)
        doomed = [key for each in segments for key in planned_records(plan, each) if key in present]
        if damaged:
            doomed += self._sweep(fence, plan).records(present.difference(doomed))
        for keys in _batches(doomed, _DELETES):
            pulse.check()
            if not metadata.commit(Transaction(self._guards(fence, plan), {}, keys)):
                raise self._reservations(fence.destination, plan).lost(plan.target.collection_id, None)
        if not damaged:  # else they tell which segments to look for; they go with the job's end
            ledger = JobLedger(metadata, keys_of(plan))
            if not ledger.forget_tasks(plan.job_id, self._guards(fence, plan)):
                raise self._reservations(fence.destination, plan).lost(plan.target.collection_id, None)
        return len(doomed)

    def _remove_objects(self, fence: Fence, pulse: Pulse) -> int:
        found = self._plan(fence)
        if found is None:
            return 0
        ref, plan = found
        removed = 0
        damaged: list[str] = []
        for segment in self._clients.archive(fence.destination).readable_segments(ref, damaged):
            pulse.check()
            removed += self._clear(fence, plan, [each.target for each in plan.objects(segment)])
        return removed + (self._sweep(fence, plan).remove() if damaged else 0)

    def _sweep(self, fence: Fence, plan: Plan) -> Sweep:
        ledger = JobLedger(self._clients.metadata(fence.destination), keys_of(plan))
        source = self._clients.objects(plan.request.source)
        return Sweep(plan, ledger, self._clients.objects(fence.destination), source)

    def _clear(self, fence: Fence, plan: Plan, planned: list[str]) -> int:
        objects, bucket = self._clients.objects(fence.destination), plan.target.bucket
        folders = prefixes(planned)
        threads = self._clients.list_threads
        list(threads.map(lambda folder: objects.abort_uploads(bucket, folder), folders))
        pages = threads.map(lambda folder: [stat.key for stat in objects.scan(bucket, folder)], folders)
        present = {key for page in pages for key in page}
        # All of them, since a listing may not yet show what was copied a moment ago.
        objects.delete(bucket, planned)
        return len(present.intersection(planned))

    def _forget(self, fence: Fence) -> None:
        found = self._plan(fence)
        if found:
            self._release(fence, found[1])
            let_go(self._clients, found[1], fence.destination)
        bucket = self._clients.profile(fence.destination).s3.bucket
        objects, archive = self._clients.objects(fence.destination), self._clients.archive(fence.destination)
        listed = {stat.key for stat in objects.scan(bucket, archive.folder(fence.job_id))}
        header = archive.header_key(fence.job_id)
        # The header goes last: while it is there, a repeated rollback finds what it needs.
        objects.delete(bucket, sorted(listed.union(self._beside(fence, found)) - {header}))
        objects.delete(bucket, [header])

    def _beside(self, fence: Fence, found: tuple[PlanRef, Plan] | None) -> Iterator[str]:
        """What lies beside the header, by name: a listing may not yet show what was stored a moment ago."""
        archive = self._clients.archive(fence.destination)
        if found is None:
            return archive.chunks_without_header(_number(fence.job_id))
        ref, plan = found
        proofs = ProofArchive(self._clients.objects(fence.destination), archive, ref)
        return chain((chunk.key for chunk in plan.chunks), map(proofs.key, range(ref.tasks)))

    def _release(self, fence: Fence, plan: Plan) -> None:
        metadata = self._clients.metadata(fence.destination)
        JobLedger(metadata, keys_of(plan)).forget_tasks(plan.job_id, self._guards(fence, plan))
        key = keys_of(plan).copy_segment_job(plan.job_id)
        record = metadata.get(key)
        puts = {key: failed_job(record.value, fence.reason, now())} if record else {}
        if fence.epoch:
            self._reservations(fence.destination, plan).release(plan.target.collection_id, fence.epoch, puts)
        elif record and not is_ended(record.value):
            # Its reservation is gone, so that nothing else would ever end the job.
            metadata.commit(Transaction([Guard(key, record.mod_revision)], puts))


def _refuse_publishing(owner: Owner | None) -> None:
    if owner and owner.state == "publishing":
        raise InvalidRequest(
            f"restore {owner.job_id} is publishing, which cannot be undone: its workflow "
            f"{owner.workflow_id} will finish it, or where that was ended the same restore started "
            "again, or `milvus-restore doctor --orphans --confirm`"
        )


def _number(job_id: str) -> int:
    if not job_id.isdecimal():
        raise InvalidRequest(f"job_id must be a number, found {job_id!r}")
    return int(job_id)


def _batches(items: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = iter(items)
    return iter(lambda: list(islice(rest, size)), [])
