"""StorageV3 segments: what lies below their folder, and whether all is there that they name.

A listing alone cannot tell what is missing, so the segment's own manifest must be there, and where its
layout is known, every file that it names (architecture, decision 8).
"""

from collections.abc import Iterator, Sequence

from formats.loon import LoonManifest, read_loon
from formats.pointer import ManifestPointer, read_pointer
from formats.segment import SegmentManifest
from restore.errors import ObjectMissing
from restore.plan import ListedObject, SegmentTree
from restore.seal import SealedObject
from restore.source_objects import Kind
from stores.ports import Location, ObjectStore
from stores.seals import require_as_sealed

_V3 = 3
_KINDS: dict[str, Kind] = {
    "_data": "insert",
    "_stats": "stats",
    "_delta": "delta",
    "_index": "index",
    "_metadata": "manifest",
}


class SegmentTrees:
    """Looks at the source's bucket."""

    def __init__(self, objects: ObjectStore, bucket: str) -> None:
        self._objects = objects
        self._bucket = bucket

    def look(self, manifest: SegmentManifest, sealed: Sequence[SealedObject] = ()) -> SegmentTree:
        """Return a StorageV3 segment's objects; an empty tree for every other segment.

        Raises ObjectMissing naming the manifest or a file that it names, SnapshotCorrupt for a damaged one,
        and for one that is not as it was `sealed`: what it names now would mislead.
        """
        if manifest.storage_version != _V3 or not manifest.manifest_path:
            return SegmentTree()
        pointer = read_pointer(manifest.manifest_path, manifest.segment_id)
        loon = self._loon(pointer, manifest.segment_id, sealed)
        listed = {each.key: each for each in self._listed(pointer)}
        for key in loon.files:
            if key not in listed:
                raise self._missing(key, manifest.segment_id, pointer)
        lobs = self._lobs(loon, pointer, manifest.segment_id)
        return SegmentTree(objects=(*listed.values(), *lobs), named=loon.readable)

    def _loon(
        self, pointer: ManifestPointer, segment_id: int, sealed: Sequence[SealedObject]
    ) -> LoonManifest:
        at = Location(self._bucket, pointer.manifest_key)
        try:
            raw = self._objects.get(at)
        except ObjectMissing as error:
            raise ObjectMissing(
                f"manifest object {at} of segment {segment_id} is absent, though the snapshot points to its "
                f"version {pointer.ver}; the snapshot is no longer whole"
            ) from error
        for known in sealed:
            if known.key == at.key:
                require_as_sealed(raw, known, at)
        return read_loon(raw, key=str(at), base_path=pointer.base_path)

    def _listed(self, pointer: ManifestPointer) -> Iterator[ListedObject]:
        base = f"{pointer.base_path}/"
        for stat in self._objects.scan(self._bucket, base):
            if stat.key.endswith("/"):
                continue  # what some tools make to show an empty folder; Milvus has no such object
            folder = stat.key.removeprefix(base).partition("/")[0]
            yield ListedObject(kind=_KINDS.get(folder, "insert"), key=stat.key, size=stat.size)

    def _lobs(self, loon: LoonManifest, pointer: ManifestPointer, segment_id: int) -> list[ListedObject]:
        """The large objects that the segment owns; they lie beside the partition's segments."""
        partition = pointer.base_path.rpartition("/")[0]
        found = []
        for field, name in loon.lobs:
            key = f"{partition}/lobs/{field}/_data/{name}"
            stat = self._objects.stat(Location(self._bucket, key))
            if stat is None:
                raise self._missing(key, segment_id, pointer)
            found.append(ListedObject(kind="lob", key=key, size=stat.size))
        return found

    def _missing(self, key: str, segment_id: int, pointer: ManifestPointer) -> ObjectMissing:
        return ObjectMissing(
            f"object {Location(self._bucket, key)} is named by the manifest {pointer.manifest_key} of "
            f"segment {segment_id} but is absent; the snapshot is no longer whole"
        )
