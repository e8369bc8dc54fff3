"""The files of a snapshot that lies where Milvus keeps it (snapshot-format.md, sections 1.1 and 1.4)."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from stores.ports import Location, ObjectStore

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class SnapshotFiles:
    """One snapshot's own files in a bucket; `root` is the root path, '' for the bucket itself."""

    objects: ObjectStore
    bucket: str
    root: str
    collection: int
    snapshot: int

    @property
    def metadata(self) -> Location:
        """The metadata JSON."""
        return Location(self.bucket, f"{self._folder}/metadata/{self.snapshot}.json")

    def manifest(self, segment: int) -> Location:
        """A segment's manifest."""
        return Location(self.bucket, f"{self._manifests}{segment}.avro")

    def any(self) -> bool:
        """True when something lies there."""
        if self.objects.stat(self.metadata) is not None:
            return True
        return next(iter(self.objects.scan(self.bucket, self._manifests)), None) is not None

    def remove(self) -> int:
        """Have none of the files; return how many were removed. The metadata goes last, as Milvus does it.

        The folder's name ends in a slash, so that no other snapshot's id can begin with this one's.
        """
        removed = self.prune(())
        if self.objects.stat(self.metadata) is not None:
            self.objects.delete(self.bucket, [self.metadata.key])
            removed += 1
        return removed

    def prune(self, keep: Collection[str]) -> int:
        """Remove the manifests that are not among those to keep; return how many."""
        removed = 0
        found = (stat.key for stat in self.objects.scan(self.bucket, self._manifests))
        stray = (key for key in found if key not in keep)
        while keys := list(islice(stray, _AT_ONCE)):
            self.objects.delete(self.bucket, keys)
            removed += len(keys)
        return removed

    @property
    def _folder(self) -> str:
        root = self.root.strip("/")
        return f"{root}/snapshots/{self.collection}" if root else f"snapshots/{self.collection}"

    @property
    def _manifests(self) -> str:
        return f"{self._folder}/manifests/{self.snapshot}/"
