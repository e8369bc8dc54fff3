"""The files of a snapshot that lies where Milvus keeps it (snapshot-format.md, sections 1.1 and 1.4)."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Self

from formats.errors import CatalogCorrupt
from formats.location import SnapshotLocation
from formats.proto.data_pb2 import SnapshotInfo
from restore.seal import seal_key
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

    @classmethod
    def of(cls, objects: ObjectStore, bucket: str, root: str, info: SnapshotInfo) -> Self:
        """Return the files of a record: where it says that they lie, else below the root of its cluster.

        CatalogCorrupt when the record names the metadata file of another snapshot.
        """
        ids = (info.collection_id, info.id)
        if not info.s3_location:
            return cls(objects, bucket, root, *ids)
        location = SnapshotLocation.parse(info.s3_location)
        if (location.collection_id, location.snapshot_id) != ids:
            raise CatalogCorrupt(
                f"the record of snapshot {info.name!r}, id {info.id}, of collection {info.collection_id} "
                f"names {info.s3_location} as its metadata file, which is another one's; mend the record"
            )
        return cls(objects, location.bucket or bucket, location.root, *ids)

    @property
    def metadata(self) -> Location:
        """The metadata JSON."""
        return Location(self.bucket, f"{self._folder}/metadata/{self.snapshot}.json")

    def manifest(self, segment: int) -> Location:
        """A segment's manifest."""
        return Location(self.bucket, f"{self.folder}{segment}.avro")

    def any(self) -> bool:
        """True when something lies there."""
        if self.objects.stat(self.metadata) is not None:
            return True
        return next(iter(self.objects.scan(self.bucket, self.folder)), None) is not None

    def remove(self) -> int:
        """Have none of the files; return how many were removed. The metadata goes last, as Milvus does it.

        The folder's name ends in a slash, so that no other snapshot's id can begin with this one's.
        """
        removed = self.prune(())
        for key in (seal_key(self.metadata.key), self.metadata.key):
            if self.objects.stat(Location(self.bucket, key)) is not None:
                self.objects.delete(self.bucket, [key])
                removed += 1
        return removed

    def prune(self, keep: Collection[str]) -> int:
        """Remove the manifests that are not among those to keep; return how many."""
        removed = 0
        found = (stat.key for stat in self.objects.scan(self.bucket, self.folder))
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
    def folder(self) -> str:
        """The folder of its manifests, with a slash at its end."""
        return f"{self._folder}/manifests/{self.snapshot}/"
