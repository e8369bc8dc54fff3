"""Proving a restored collection again from its certificate, long after the restore."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from restore.certificate import Certificate, ProvedObject
from restore.errors import RestoreError
from restore.plan import SegmentPlan
from restore.reproof import Finding, Means, Reproof, Sample, Verdict
from stores.clients import Clients
from stores.evidence import Evidence
from stores.ports import Location, ObjectStore
from stores.restored_collection import RestoredCollection
from stores.restored_contents import Origin, RestoredContents
from stores.restored_segments import RestoredSegments

Tell = Callable[[int, int], None]


@dataclass
class _Counts:
    """What was looked at."""

    objects: int = 0
    records: int = 0
    read: int = 0
    contents: Counter[Means] = field(default_factory=Counter)


class Reprover:
    """Looks at all that a certificate speaks of, in the stores of one profile; reads only."""

    def __init__(self, clients: Clients, profile: str, at: Location, certificate: Certificate) -> None:
        self._clients = clients
        self._profile = profile
        self._at = at
        self._certificate = certificate
        self._evidence = Evidence(clients.objects(profile), at, certificate)
        self._contents = RestoredContents(clients.objects(profile), certificate.target.bucket)
        self._findings: list[Finding] = []
        self._counts = _Counts()

    def run(self, *, sample: Sample | None, read_data: bool, tell: Tell) -> Reproof:
        """Return what was found; `tell` hears the objects looked at and the bytes read.

        Raises AccessDenied or StoreUnavailable where a store cannot be asked.
        """
        chosen = sample.chosen(sum(self._certificate.proofs.values())) if sample else None
        first = 0
        for index in range(self._evidence.tasks):
            proved, segments = self._evidence.proved(index), self._evidence.segments(index)
            wanted = [each for number, each in enumerate(proved, first) if chosen is None or number in chosen]
            first += len(proved)
            released = self._judge(segments)
            intact = self._look(wanted, released, tell)
            if read_data:
                self._read(intact, segments, tell)
        self._evidence.close()
        return self._result(sample)

    def _judge(self, segments: list[SegmentPlan]) -> frozenset[str]:
        """Compare the records of some segments; the objects that nobody needs to miss any more."""
        judgements = [self._segments.judge(each) for each in segments] if self._segments else []
        for each in judgements:
            self._findings += each.findings
            self._counts.records += each.records
        return frozenset().union(*(each.released for each in judgements))

    def _look(self, proved: list[ProvedObject], released: frozenset[str], tell: Tell) -> list[ProvedObject]:
        """List the objects; return those that are needed and as they were proved, as far as that tells."""
        intact = []
        for each, wrong in self._contents.look(proved, self._clients.list_threads):
            self._counts.objects += 1
            tell(self._counts.objects, self._counts.read)
            if wrong:
                verdict: Verdict = "changed since" if each.key in released else "damaged"
                self._findings.append(Finding(what="object", name=each.key, verdict=verdict, reason=wrong))
            elif each.key not in released:
                intact.append(each)
        return intact

    def _read(self, proved: list[ProvedObject], segments: list[SegmentPlan], tell: Tell) -> None:
        origin = self._origin(segments)
        for each, means, finding in self._contents.read(proved, origin, self._clients.copy_threads):
            self._counts.read += each.size
            self._counts.contents[means] += 1
            self._findings += [finding] if finding else []
            tell(self._counts.objects, self._counts.read)

    def _origin(self, segments: list[SegmentPlan]) -> Origin | None:
        plan, source = self._evidence.plan, self._source
        if plan is None or source is None:
            return None
        keys = {each.target: each.source for segment in segments for each in plan.objects(segment)}
        return Origin(source, plan.snapshot.bucket, keys)

    @cached_property
    def _source(self) -> ObjectStore | None:
        """The store that was restored from; None when it cannot be asked any more."""
        try:
            source = self._clients.objects(self._certificate.request.source)
            source.check(self._certificate.snapshot.bucket)
        except RestoreError:
            return None
        return source

    @cached_property
    def _segments(self) -> RestoredSegments | None:
        plan = self._evidence.plan
        if plan is None:
            return None
        metadata = self._clients.metadata(self._profile)
        metadata.check()
        ids = {
            each.target.segment_id
            for index in range(self._evidence.tasks)
            for each in self._evidence.segments(index)
        }
        return RestoredSegments(plan, RestoredCollection(metadata, plan), ids)

    def _result(self, sample: Sample | None) -> Reproof:
        told, counts = self._certificate, self._counts
        return Reproof(
            certificate=str(self._at),
            job_id=told.job_id,
            database=told.target.database,
            collection=told.target.collection,
            collection_id=str(told.target.collection_id),
            completed_at=told.completed_at,
            sample=sample,
            objects=counts.objects,
            records=counts.records,
            bytes_read=counts.read,
            contents=dict(counts.contents),
            findings=(*self._evidence.findings, *self._findings),
        )
