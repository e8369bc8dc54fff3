"""Proving that a task's objects are at their place and are what they were copied from."""

from concurrent.futures import Executor

from activities.pulse import Pulse
from restore.certificate import Proof, ProvedObject
from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import Plan, PlannedObject
from restore.request import Verify
from restore.rewriting import DescriptorEdit, descriptor_edit
from stores.inventory import Inventory, same_content
from stores.ports import Location, ObjectStat, ObjectStore


class Prover:
    """Compares both sides as the stores tell them now, whatever the copying believed."""

    def __init__(self, source: ObjectStore, destination: ObjectStore, plan: Plan, threads: Executor) -> None:
        self._source = source
        self._destination = destination
        self._from = plan.snapshot.bucket
        self._to = plan.target.bucket
        self._plan = plan
        self._verify: Verify = plan.request.verify
        self._threads = threads

    def prove(self, planned: list[PlannedObject], pulse: Pulse) -> tuple[ProvedObject, ...]:
        """Return the proof of every object in key order.

        ObjectMissing or ObjectMismatch names the first that is not as planned, or that nobody planned.
        """
        sources = self._look(self._source, self._from, [each.source for each in planned])
        targets = self._look(self._destination, self._to, [each.target for each in planned])
        self._require_no_stranger(targets, planned)

        def prove_one(each: PlannedObject) -> ProvedObject:
            pulse.check()
            return self._prove(each, sources.source_of(each), targets.found.get(each.target))

        ordered = sorted(planned, key=lambda each: each.target)
        if self._verify == "full" or self._plan.request.rewrite_descriptors:
            return tuple(self._threads.map(prove_one, ordered))
        return tuple(map(prove_one, ordered))

    def _look(self, objects: ObjectStore, bucket: str, keys: list[str]) -> Inventory:
        return Inventory.take(objects, bucket, keys, self._threads).confirmed(objects, keys, self._threads)

    def _require_no_stranger(self, targets: Inventory, planned: list[PlannedObject]) -> None:
        for stranger in targets.strangers(planned):
            at = Location(self._to, stranger.key)
            if self._destination.stat(at):  # a listing may show what was removed a moment ago
                raise ObjectMismatch(f"object {at} lies among the restored ones, but no manifest names it")

    def _prove(self, planned: PlannedObject, source: ObjectStat, target: ObjectStat | None) -> ProvedObject:
        if target is None:
            raise ObjectMissing(
                f"{planned.kind} object {Location(self._to, planned.target)} is absent after copying"
            )
        proof, sha256 = self._compare(planned, source, target)
        return ProvedObject(key=target.key, size=target.size, etag=target.etag, sha256=sha256, proof=proof)

    def _compare(
        self, planned: PlannedObject, source: ObjectStat, target: ObjectStat
    ) -> tuple[Proof, str | None]:
        if source.size != target.size:
            raise self._differs(planned, "size", f"{target.size} bytes", f"{source.size}")
        if edit := descriptor_edit(self._plan, planned, source.size):
            return "rewritten", self._rewritten(planned, source, target, edit)
        # What no ETag tells of a sealed source, only the content can.
        sealed = planned.etag is None or planned.etag == source.etag
        if self._verify == "size" and sealed:
            return "size", None
        if self._verify == "full" or not sealed:
            return "sha256", self._hashes(planned)
        # ETags that differ prove nothing: those of parts depend on the upload, those of a bucket encrypted
        # with keys of its own are new for every copy. Then the content itself is read.
        same = same_content(source, target)
        return ("etag", planned.sha256) if same else ("sha256", self._hashes(planned))

    def _rewritten(
        self, planned: PlannedObject, source: ObjectStat, target: ObjectStat, edit: DescriptorEdit
    ) -> str:
        """The hash of the target, which is that of the source after the edit, however objects are proved.

        A target whose ETag is the MD5 of what was to come is read only when all are.
        """
        at = Location(self._from, planned.source)
        if planned.sha256 and (self._verify == "full" or planned.etag != source.etag):
            self._require_sealed(at, planned.sha256)
        expected = self._source.content(at, edit)
        if self._verify == "full" or target.etag != expected.md5:
            found = self._destination.digest(Location(self._to, planned.target))
            self._require_hash(planned, found, expected.sha256)
        return expected.sha256

    def _hashes(self, planned: PlannedObject) -> str:
        """The hash of both sides; a sealed one speaks for the source, whatever that has become since."""
        expected = planned.sha256 or self._source.digest(Location(self._from, planned.source))
        found = self._destination.digest(Location(self._to, planned.target))
        self._require_hash(planned, found, expected)
        return found

    def _require_sealed(self, at: Location, sealed: str) -> None:
        found = self._source.digest(at)
        if found != sealed:
            raise ObjectMismatch(
                f"object {at} has SHA-256 {found}, expected {sealed} as the snapshot's seal recorded; the "
                "snapshot is no longer whole"
            )

    def _require_hash(self, planned: PlannedObject, found: str, expected: str) -> None:
        if expected != found:
            raise self._differs(planned, "SHA-256", found, expected)

    def _differs(self, planned: PlannedObject, what: str, found: str, expected: str) -> ObjectMismatch:
        return ObjectMismatch(
            f"{planned.kind} object {Location(self._to, planned.target)} has {what} {found}, "
            f"expected {expected} as its source {Location(self._from, planned.source)}"
        )
