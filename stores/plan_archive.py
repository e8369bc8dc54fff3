"""Where plans lie: gzipped JSON under `{root}/restores/{job_id}/` of the destination (decision 2)."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from functools import lru_cache
from itertools import count, takewhile

from pydantic import ValidationError

from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import Chunk, ChunkEntry, Plan, PlanRef, SegmentPlan
from stores.ports import Location, ObjectStore

_LEVEL = 1
"""Paths repeat so much that the fastest compression already makes a tenth of them."""

_KEPT = 64
"""Chunks kept in memory: a task's five activities read the same ones one after the other."""


class PlanArchive:
    """Plans of one destination; what is read is checked against the digest that names it."""

    def __init__(self, objects: ObjectStore, bucket: str, root: str) -> None:
        self._objects = objects
        self._bucket = bucket
        self._root = root
        self._chunk_at = lru_cache(maxsize=_KEPT)(self._read_chunk)
        self._plan_at = lru_cache(maxsize=_KEPT)(self._read_plan)

    @property
    def top(self) -> str:
        """The prefix of what all restores keep beside their data."""
        return f"{self._root}/restores/".lstrip("/")

    def folder(self, job_id: int | str) -> str:
        """The prefix of everything that a restore keeps beside its data."""
        return f"{self.top}{job_id}/"

    def header_key(self, job_id: int | str) -> str:
        """The key of a plan's header."""
        return f"{self.folder(job_id)}plan.json.gz"

    def certificate_key(self, job_id: int | str) -> str:
        """The key of the certificate: it is there once a restore is published."""
        return f"{self.folder(job_id)}certificate.json"

    def put_chunk(self, job_id: int, number: int, chunk: Chunk, *, objects: int, size: int) -> ChunkEntry:
        """Store a chunk and return its entry; `objects` and `size` (bytes) are what it names."""
        body = gzip.compress(chunk.model_dump_json().encode(), _LEVEL, mtime=0)
        key = self._chunk_key(job_id, number)
        self._objects.put(Location(self._bucket, key), body)
        return ChunkEntry(
            key=key,
            digest=hashlib.sha256(body).hexdigest(),
            segments=len(chunk.segments),
            rows=sum(segment.source.num_of_rows for segment in chunk.segments),
            objects=objects,
            bytes=size,
        )

    def put_plan(self, plan: Plan) -> PlanRef:
        """Store the header, after its chunks: from now on the plan exists."""
        body = gzip.compress(plan.model_dump_json().encode(), _LEVEL, mtime=0)
        self._objects.put(Location(self._bucket, self.header_key(plan.job_id)), body)
        return self._reference(plan, hashlib.sha256(body).hexdigest())

    def find(self, job_id: int) -> PlanRef | None:
        """The reference to a plan that was stored whole, or None."""
        at = Location(self._bucket, self.header_key(job_id))
        if self._objects.stat(at) is None:
            return None
        body = self._objects.get(at)
        digest = hashlib.sha256(body).hexdigest()
        return self._reference(_parse_plan(body, at), digest)

    def chunks_without_header(self, job_id: int) -> Iterator[str]:
        """The keys of the chunks of a plan that was not finished; they were stored in order."""
        keys = (self._chunk_key(job_id, number) for number in count())
        return takewhile(lambda key: self._objects.stat(Location(self._bucket, key)), keys)

    def plan(self, ref: PlanRef) -> Plan:
        """The header; ObjectMissing when it is gone, ObjectMismatch when it is not what was stored."""
        plan = self._plan_at(ref.key, ref.digest)
        return plan.model_copy(update={"request": ref.request}) if ref.request else plan

    def segments(self, ref: PlanRef, index: int) -> Iterator[SegmentPlan]:
        """The segments of a task, checked like the header."""
        for entry in self.plan(ref).tasks[index]:
            yield from self._chunk_at(entry.key, entry.digest).segments

    def all_segments(self, ref: PlanRef) -> Iterator[SegmentPlan]:
        """The segments of all tasks in order."""
        for entry in self.plan(ref).chunks:
            yield from self._read_chunk(entry.key, entry.digest).segments

    def readable_segments(self, ref: PlanRef, damaged: list[str]) -> Iterator[SegmentPlan]:
        """The segments of every chunk that is as it was stored; the keys of the others go to `damaged`."""
        for entry in self.plan(ref).chunks:
            try:
                chunk = self._read_chunk(entry.key, entry.digest)
            except (ObjectMissing, ObjectMismatch):
                damaged.append(entry.key)
                continue
            yield from chunk.segments

    def _chunk_key(self, job_id: int, number: int) -> str:
        return f"{self.folder(job_id)}plan/{number:06}.json.gz"

    def _read_plan(self, key: str, digest: str) -> Plan:
        return _parse_plan(self._checked(key, digest), Location(self._bucket, key))

    def _read_chunk(self, key: str, digest: str) -> Chunk:
        return Chunk.model_validate_json(gzip.decompress(self._checked(key, digest)))

    def _checked(self, key: str, digest: str) -> bytes:
        at = Location(self._bucket, key)
        body = self._objects.get(at)
        found = hashlib.sha256(body).hexdigest()
        if found != digest:
            raise ObjectMismatch(
                f"plan object {at} has SHA-256 {found[:16]}…, expected {digest[:16]}…: it was changed after "
                "planning; start the restore anew"
            )
        return body

    def _reference(self, plan: Plan, digest: str) -> PlanRef:
        return PlanRef(
            job_id=str(plan.job_id),
            collection_id=str(plan.target.collection_id),
            snapshot_name=plan.snapshot.name,
            profile=plan.request.destination,
            bucket=self._bucket,
            key=self.header_key(plan.job_id),
            digest=digest,
            tasks=len(plan.tasks),
            segments=sum(chunk.segments for chunk in plan.chunks),
            rows=sum(chunk.rows for chunk in plan.chunks),
            objects=sum(chunk.objects for chunk in plan.chunks),
            bytes=sum(chunk.bytes for chunk in plan.chunks),
            warnings=plan.warnings,
        )


def _parse_plan(body: bytes, at: Location) -> Plan:
    try:
        return Plan.model_validate_json(gzip.decompress(body))
    except (OSError, EOFError, zlib.error, ValidationError) as error:
        raise ObjectMismatch(f"plan object {at} is not a plan: {error}") from error
