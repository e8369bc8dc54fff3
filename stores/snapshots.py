"""Opening a snapshot: from what the request names to metadata, roots and manifests."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice

from formats.location import SnapshotLocation
from formats.manifest import decode_manifest
from formats.metadata import read_metadata
from formats.proto.data_pb2 import SnapshotMetadata
from formats.roots import SnapshotRoots
from formats.segment import SegmentManifest
from restore.errors import ObjectMissing, SnapshotCorrupt, SnapshotNotFound
from restore.plan import SnapshotSource
from stores.ports import Location, ObjectStore

_READ_AHEAD = 64
"""Manifests fetched at once; each is a few kilobytes."""


@dataclass(frozen=True)
class OpenSnapshot:
    """A snapshot whose metadata was read; `etag` is the metadata file's."""

    at: Location
    etag: str
    metadata: SnapshotMetadata
    roots: SnapshotRoots

    @property
    def source(self) -> SnapshotSource:
        """The snapshot as a plan names it."""
        return SnapshotSource(
            name=self.metadata.snapshot_info.name,
            id=self.metadata.snapshot_info.id,
            collection_id=self.metadata.snapshot_info.collection_id,
            collection=self.metadata.collection.schema.name,
            bucket=self.at.bucket,
            key=self.at.key,
            root=self.roots.data_root,
            etag=self.etag,
            format_version=self.metadata.format_version,
        )

    def manifests(self, objects: ObjectStore, threads: Executor) -> Iterator[SegmentManifest]:
        """Yield the segment manifests in the snapshot's order; SnapshotCorrupt names a missing one."""
        keys = iter(self.roots.manifest_keys(self.metadata))
        while batch := list(islice(keys, _READ_AHEAD)):
            yield from threads.map(lambda key: self._manifest(objects, key), batch)

    def _manifest(self, objects: ObjectStore, key: str) -> SegmentManifest:
        at = Location(self.at.bucket, key)
        try:
            raw = objects.get(at)
        except ObjectMissing as error:
            raise SnapshotCorrupt(
                f"segment manifest {at} is absent, though {self.at} names it; take the snapshot again"
            ) from error
        return decode_manifest(raw, format_version=self.metadata.format_version, key=key)


def open_snapshot(objects: ObjectStore, bucket: str, text: str) -> OpenSnapshot:
    """Read the metadata that a URI or key names; a key lies in `bucket`.

    Raises InvalidRequest for a text that names no metadata file, SnapshotNotFound when there is none, and
    SnapshotCorrupt or UnsupportedFormat for one that cannot be read.
    """
    location = SnapshotLocation.parse(text)
    at = Location(location.bucket or bucket, location.key)
    try:
        stat = objects.stat(at)
        if stat is None:
            raise ObjectMissing(f"{at} is absent")
        raw = objects.get(at)
    except ObjectMissing as error:
        raise SnapshotNotFound(
            f"there is no snapshot metadata at {at} (profile {objects.profile!r}, {objects.endpoint}): "
            f"{error}; check the URI, or the bucket and root path of the profile"
        ) from error
    metadata = read_metadata(raw, key=location.key)
    return OpenSnapshot(at, stat.etag, metadata, SnapshotRoots.of(location, metadata))
