"""Comparing a snapshot with its seal, object by object, by reading them all."""

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import Literal

from formats.model import Model
from restore.errors import ObjectMissing
from restore.seal import SealedObject, SealedSegment
from stores.in_flight import each_in_flight
from stores.ports import Location, ObjectStore
from stores.seals import Seal

_OWN_MANIFEST = "/_metadata/"


class SealDifference(Model):
    """An object that is not as it was sealed. `added` is no damage: it came later and is not restored."""

    key: str
    verdict: Literal["missing", "changed", "added"]
    reason: str


class SealCheck:
    """Counts what it has compared: `objects`, and `bytes` as sealed; `segments` are those begun."""

    def __init__(self, objects: ObjectStore, seal: Seal, threads: Executor) -> None:
        self._objects = objects
        self._seal = seal
        self._threads = threads
        self.segments = 0
        self.objects = 0
        self.bytes = 0

    def differences(self) -> Iterator[SealDifference | None]:
        """Yield for each sealed object how it differs, None when it does not; then what was added."""
        compared = each_in_flight(self._threads, self._compare, self._sealed())
        for sealed, difference in compared:
            self.objects += 1
            self.bytes += sealed.size
            yield difference
        for segment in self._seal.segments():
            yield from self._added(segment)

    def _sealed(self) -> Iterator[SealedObject]:
        yield self._seal.metadata
        for segment in self._seal.segments():
            self.segments += 1
            yield segment.manifest
            yield from segment.objects

    def _compare(self, sealed: SealedObject) -> tuple[SealedObject, SealDifference | None]:
        try:
            content = self._objects.content(Location(self._seal.at.bucket, sealed.key))
        except ObjectMissing:
            return sealed, SealDifference(key=sealed.key, verdict="missing", reason="it is absent")
        if content.stat.size != sealed.size:
            reason = f"it has {content.stat.size} bytes, {sealed.size} were sealed"
        elif content.sha256 != sealed.sha256:
            reason = f"its SHA-256 is {content.sha256[:16]}…, {sealed.sha256[:16]}… was sealed"
        else:
            return sealed, None
        return sealed, SealDifference(key=sealed.key, verdict="changed", reason=reason)

    def _added(self, segment: SealedSegment) -> Iterator[SealDifference]:
        """Only the folders of StorageV3 segments belong to the snapshot as a whole."""
        keys = {each.key for each in segment.objects}
        bases = {f"{key.partition(_OWN_MANIFEST)[0]}/" for key in keys if _OWN_MANIFEST in key}
        for base in sorted(bases):
            for stat in self._objects.scan(self._seal.at.bucket, base):
                if stat.key not in keys:
                    reason = "it came after the seal, is not of the snapshot, and would not be restored"
                    yield SealDifference(key=stat.key, verdict="added", reason=reason)
