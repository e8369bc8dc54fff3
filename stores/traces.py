"""The traces of every restore to one destination: folders beside the data, reservations, job records."""

from collections.abc import Iterator

from pydantic import ValidationError

from formats.keys import MetaKeys
from formats.proto.data_pb2 import CopySegmentJob, CopySegmentJobCompleted, CopySegmentJobFailed
from formats.wire import decode
from restore.errors import ObjectMismatch, UnsupportedFormat
from restore.orphans import JobState, Trace
from restore.reservation import Owner
from stores.clients import Clients
from stores.ids import FIRST, LAST
from stores.ports import Location

_AFTER_SLASH = chr(ord("/") + 1)
"""In place of a folder's slash it sorts after all that the folder holds, and before its next sibling."""


class Traces:
    """Reads only. Folders are looked at before reservations: who reserves meanwhile is found to run."""

    def __init__(self, clients: Clients, profile: str) -> None:
        self._clients = clients
        self._profile = profile
        self._metadata = clients.metadata(profile)
        self._keys: MetaKeys = clients.keys(profile)
        self._archive = clients.archive(profile)

    def all(self) -> list[Trace]:
        """Return a trace for every restore that has a folder, a reservation, or a job record of our own ids.

        Jobs of Milvus's own restores are none of ours; those with ids that RootCoord gave are known by
        their folder or reservation alone.
        """
        stored = dict(self._stored())
        owners = dict(self._owners())
        jobs = dict(self._jobs())
        ours = {job for job in jobs if FIRST <= int(job) <= LAST}
        known = sorted({*stored, *owners, *ours}, key=int)
        return [self._trace(job, stored.get(job), owners.get(job), jobs.get(job)) for job in known]

    def _trace(
        self,
        job_id: str,
        stored: Trace | None,
        owned: tuple[int, Owner] | None,
        job: tuple[int, JobState] | None,
    ) -> Trace:
        trace = stored or Trace(job_id=job_id)
        collection = owned[0] if owned else trace.collection_id or (job[0] if job else None)
        return trace.model_copy(
            update={
                "collection_id": collection,
                "owner": owned[1] if owned else None,
                "job": job[1] if job else None,
            }
        )

    def _stored(self) -> Iterator[tuple[str, Trace]]:
        """Every job with a folder, found by one listing each."""
        objects, bucket = self._clients.objects(self._profile), self._clients.profile(self._profile).s3.bucket
        top = after = self._archive.top
        while (first := next(objects.scan(bucket, top, start_after=after), None)) is not None:
            job_id = first.key.removeprefix(top).partition("/")[0]
            after = f"{top}{job_id}{_AFTER_SLASH}"
            if job_id.isascii() and job_id.isdecimal():
                yield job_id, self._described(job_id)

    def _described(self, job_id: str) -> Trace:
        try:
            ref = self._archive.find(int(job_id))
            plan = self._archive.plan(ref) if ref else None
        except ObjectMismatch:  # a damaged plan: what it was for is not to be known, but it is there
            return Trace(job_id=job_id, stored=True, planned=True, certified=self._is_certified(job_id))
        return Trace(
            job_id=job_id,
            stored=True,
            planned=plan is not None,
            certified=self._is_certified(job_id),
            collection_id=plan.target.collection_id if plan else None,
            target=f"{plan.target.database}/{plan.target.collection}" if plan else None,
        )

    def _is_certified(self, job_id: str) -> bool:
        at = Location(self._clients.profile(self._profile).s3.bucket, self._archive.certificate_key(job_id))
        return self._clients.objects(self._profile).stat(at) is not None

    def _owners(self) -> Iterator[tuple[str, tuple[int, Owner]]]:
        for record in self._metadata.scan(self._keys.reservations):
            number = record.key.rpartition("/")[2]
            try:
                owner = Owner.decode(record.value)
            except ValidationError as error:
                raise UnsupportedFormat(
                    f"the reservation {record.key} cannot be read: whose it is can only be judged by the "
                    "version of milvus-restore that wrote it"
                ) from error
            yield owner.job_id, (int(number), owner)

    def _jobs(self) -> Iterator[tuple[str, tuple[int, JobState]]]:
        for record in self._metadata.scan(self._keys.copy_segment_jobs):
            job = decode(CopySegmentJob, record.value, record.key)
            ends: dict[int, JobState] = {CopySegmentJobCompleted: "completed", CopySegmentJobFailed: "failed"}
            yield str(job.job_id), (job.collection_id, ends.get(job.state, "executing"))
