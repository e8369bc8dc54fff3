"""Sealing a snapshot: every object of it is read once, many at a time, in a stream."""

import gzip
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from itertools import groupby
from operator import itemgetter

from formats.census import SegmentCensus
from formats.location import SnapshotLocation
from formats.model import Model
from restore.errors import AccessDenied, InvalidRequest, ObjectMismatch, ObjectMissing
from restore.plan import segment_objects
from restore.seal import SealedObject, SealedSegment, SealHeader, seal_key
from restore.source_objects import Kind
from stores.in_flight import each_in_flight
from stores.ports import Location, ObjectStore
from stores.segment_trees import SegmentTrees
from stores.snapshots import OpenSnapshot


class SealCount(Model):
    """How far a sealing is; the snapshot's own files are objects too. Bytes as read."""

    segments: int = 0
    objects: int = 0
    bytes: int = 0

    def plus(self, segment: SealedSegment) -> "SealCount":
        """The count with one more segment."""
        sizes = [segment.manifest.size, *(each.size for each in segment.objects)]
        return SealCount(
            segments=self.segments + 1, objects=self.objects + len(sizes), bytes=self.bytes + sum(sizes)
        )


@dataclass(frozen=True, slots=True)
class _Named:
    """An object to read: of which segment, of which kind, and its recorded size where there is one."""

    segment_id: int
    kind: Kind
    key: str
    size: int | None


class Sealer:
    """Seals one snapshot, in the bucket where its metadata lies."""

    def __init__(
        self, objects: ObjectStore, snapshot: OpenSnapshot, *, lists: Executor, reads: Executor
    ) -> None:
        self._objects = objects
        self._snapshot = snapshot
        self._bucket = snapshot.at.bucket
        self._root = SnapshotLocation.parse(snapshot.at.key).root
        self._lists = lists
        self._reads = reads
        self.at = Location(self._bucket, seal_key(snapshot.at.key))

    def seal(self, tell: Callable[[SealCount], None] = lambda _: None) -> tuple[SealHeader, SealCount]:
        """Store the seal and return its header and what it covers; `tell` hears after each segment.

        Raises AccessDenied where nothing may be stored, and for a snapshot that is not whole ObjectMissing,
        ObjectMismatch or SnapshotCorrupt; then nothing is stored.
        """
        self._require_writable()
        body, header = BytesIO(), self._header()
        count = SealCount(objects=1, bytes=header.metadata.size)
        with gzip.GzipFile(fileobj=body, mode="wb", mtime=0) as lines:
            lines.write(_line(header))
            for segment in self._segments():
                lines.write(_line(segment))
                count = count.plus(segment)
                tell(count)
        self._objects.put(self.at, body.getvalue())
        return header, count

    def _require_writable(self) -> None:
        try:
            self._objects.check_writable(self.at)
        except AccessDenied as error:
            raise AccessDenied(
                f"the seal {self.at} cannot be stored: profile {self._objects.profile!r} may not write to "
                f"bucket {self._bucket!r}; seal with one that may, since a seal lies nowhere else ({error})"
            ) from error

    def _header(self) -> SealHeader:
        source = self._snapshot.source
        content = self._objects.content(self._snapshot.at)
        if content.stat.etag != self._snapshot.etag:
            raise InvalidRequest(f"{self._snapshot.at} was changed just now; seal the snapshot again")
        return SealHeader(
            snapshot=source.name,
            snapshot_id=source.id,
            collection_id=source.collection_id,
            sealed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            software=f"milvus-restore {version('milvus-restore')}",
            segments=len(self._snapshot.metadata.manifest_list),
            metadata=SealedObject(
                key=self._relative(source.key),
                size=content.stat.size,
                etag=content.stat.etag,
                sha256=content.sha256,
            ),
        )

    def _segments(self) -> Iterator[SealedSegment]:
        read = each_in_flight(self._reads, self._read, self._named())
        for segment_id, group in groupby(read, key=itemgetter(0)):
            manifest, *objects = (sealed for _, sealed in group)
            yield SealedSegment(segment_id=segment_id, manifest=manifest, objects=tuple(objects))

    def _named(self) -> Iterator[_Named]:
        """Every object in the snapshot's order, each segment's manifest before its objects."""
        trees = SegmentTrees(self._objects, self._bucket)
        census = SegmentCensus(self._snapshot.metadata, self._snapshot.roots)
        keys = self._snapshot.roots.manifest_keys(self._snapshot.metadata)
        manifests = self._snapshot.manifests(self._objects, self._lists)
        for key, manifest in zip(keys, manifests, strict=True):
            admitted = census.admit(manifest)
            yield _Named(admitted.segment_id, "manifest", key, None)
            for kind, path, size in segment_objects(admitted, trees.look(admitted)):
                yield _Named(admitted.segment_id, kind, path, size)
        census.close()

    def _read(self, named: _Named) -> tuple[int, SealedObject]:
        at = Location(self._bucket, named.key)
        try:
            content = self._objects.content(at)
        except ObjectMissing as error:
            raise ObjectMissing(
                f"{named.kind} object {at} is named by the manifest of segment {named.segment_id} but is "
                "absent; the snapshot is not whole and was not sealed"
            ) from error
        if named.size is not None and content.stat.size != named.size:
            raise ObjectMismatch(
                f"{named.kind} object {at} has {content.stat.size} bytes, expected {named.size} as the "
                f"manifest of segment {named.segment_id} recorded; the snapshot is not whole, so not sealed"
            )
        return named.segment_id, SealedObject(
            key=self._relative(named.key),
            size=content.stat.size,
            etag=content.stat.etag,
            sha256=content.sha256,
        )

    def _relative(self, key: str) -> str:
        return key.removeprefix(f"{self._root}/") if self._root else key


def _line(value: Model) -> bytes:
    return value.model_dump_json().encode() + b"\n"
