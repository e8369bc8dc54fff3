"""What a restore has left to prove it by: its plan and its proofs, beside the certificate."""

import zlib
from functools import cached_property

from pydantic import ValidationError

from restore.certificate import Certificate, ProvedObject, merkle
from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import Plan, PlanRef, SegmentPlan
from restore.reproof import Finding, What
from stores.certificates import plan_root
from stores.plan_archive import PlanArchive
from stores.ports import Location, ObjectStore
from stores.proofs import ProofArchive

_UNREADABLE = (ObjectMissing, ObjectMismatch, OSError, EOFError, zlib.error, ValidationError)


class Evidence:
    """Reads what it can; what cannot be read, or is not what the certificate says, is among the findings."""

    def __init__(self, objects: ObjectStore, at: Location, certificate: Certificate) -> None:
        self._at = at
        self._certificate = certificate
        self._archive = PlanArchive(objects, at.bucket, plan_root(at, certificate.job_id))
        self._proofs = ProofArchive(objects, self._archive, self._ref)
        self._roots: list[str] = []
        self.findings: list[Finding] = []

    @cached_property
    def plan(self) -> Plan | None:
        """The plan's header, None when it cannot be relied on."""
        if not self._ref.digest:
            self._note("plan", self._ref.key, "it is absent, and the certificate does not tell its digest")
            return None
        try:
            return self._archive.plan(self._ref)
        except _UNREADABLE as error:
            self._note("plan", self._ref.key, _sentence(error))
            return None

    @property
    def tasks(self) -> int:
        """How many tasks the restore had."""
        return self._ref.tasks

    def segments(self, index: int) -> list[SegmentPlan]:
        """The segments of a task, none when the plan cannot be read."""
        if self.plan is None:
            return []
        try:
            return list(self._archive.segments(self._ref, index))
        except _UNREADABLE as error:
            self._note("plan", f"{self._archive.folder(self._ref.job_id)}plan/", _sentence(error))
            return []

    def proved(self, index: int) -> tuple[ProvedObject, ...]:
        """The objects that were proved in a task, none when the proof cannot be read."""
        try:
            proof = self._proofs.get(index)
        except _UNREADABLE as error:
            self._note("proof", self._proofs.key(index), _sentence(error))
            return ()
        self._roots.append(proof.root)
        return proof.objects

    def close(self) -> None:
        """Compare the Merkle root over all proofs, once every task's was read."""
        root = merkle(self._roots)
        if root != self._certificate.root:
            told = self._certificate.root[:16]
            self._note(
                "root", str(self._at), f"the proofs have the Merkle root {root[:16]}…, it tells {told}…"
            )

    @cached_property
    def _ref(self) -> PlanRef:
        """The plan as the certificate names it; one of old does not, so the plan is looked for."""
        told = self._certificate
        found = None if told.plan_digest else self._archive.find(int(told.job_id))
        return found or PlanRef(
            job_id=told.job_id,
            collection_id=str(told.target.collection_id),
            snapshot_name=told.snapshot.name,
            profile=told.request.destination,
            bucket=self._at.bucket,
            key=told.plan_key or self._archive.header_key(told.job_id),
            digest=told.plan_digest,
            tasks=told.tasks,
            segments=told.segments,
            rows=told.rows,
            objects=told.objects,
            bytes=told.bytes,
        )

    def _note(self, what: What, name: str, reason: str) -> None:
        finding = Finding(what=what, name=name, verdict="damaged", reason=reason)
        self.findings += [finding] if finding not in self.findings else []


def _sentence(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
