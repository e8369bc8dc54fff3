"""Opening a snapshot: from what the request names to metadata, roots and manifests."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice, repeat
from typing import NamedTuple

from formats.location import SnapshotLocation
from formats.manifest import decode_manifest
from formats.metadata import read_metadata
from formats.proto.data_pb2 import SnapshotMetadata
from formats.roots import SnapshotRoots
from formats.segment import SegmentManifest
from restore.errors import ObjectMissing, SnapshotCorrupt, SnapshotNotFound
from restore.plan import SnapshotSource
from restore.seal import SealedSegment
from restore.source_objects import SnapshotFile
from stores.ports import Location, ObjectStore
from stores.seals import Seal, require_as_sealed

_READ_AHEAD = 64
"""Manifests fetched at once; each is a few kilobytes."""


class ReadManifest(NamedTuple):
    """A segment manifest, the file that it was read from, and its seal's line, None without a seal."""

    manifest: SegmentManifest
    file: SnapshotFile
    sealed: SealedSegment | None


@dataclass(frozen=True)
class OpenSnapshot:
    """A snapshot whose metadata was read; `etag` is the metadata file's, `seal` None where there is none."""

    at: Location
    etag: str
    metadata: SnapshotMetadata
    roots: SnapshotRoots
    seal: Seal | None = None

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
            seal=self.seal.digest if self.seal else "",
        )

    def manifests(self, objects: ObjectStore, threads: Executor) -> Iterator[SegmentManifest]:
        """Yield the segment manifests in the snapshot's order.

        SnapshotCorrupt names one that is missing, or not as it was sealed.
        """
        return (each.manifest for each in self.read_manifests(objects, threads))

    def read_manifests(self, objects: ObjectStore, threads: Executor) -> Iterator[ReadManifest]:
        """Yield the same, each with its file and what the seal says of its segment."""
        keys = self.roots.manifest_keys(self.metadata)
        named = zip(keys, self.seal.along(keys) if self.seal else repeat(None, len(keys)), strict=True)
        while batch := list(islice(named, _READ_AHEAD)):
            yield from threads.map(lambda each: self._manifest(objects, *each), batch)

    def _manifest(self, objects: ObjectStore, key: str, sealed: SealedSegment | None) -> ReadManifest:
        at = Location(self.at.bucket, key)
        try:
            raw = objects.get(at)
        except ObjectMissing as error:
            raise SnapshotCorrupt(
                f"segment manifest {at} is absent, though {self.at} names it; take the snapshot again"
            ) from error
        if sealed:
            require_as_sealed(raw, sealed.manifest, at)
        manifest = decode_manifest(raw, format_version=self.metadata.format_version, key=key)
        return ReadManifest(manifest, SnapshotFile(key=key, sha256=hashlib.sha256(raw).hexdigest()), sealed)


def open_snapshot(objects: ObjectStore, bucket: str, text: str, *, ignore_seal: bool = False) -> OpenSnapshot:
    """Read the metadata that a URI or key names; a key lies in `bucket`.

    Raises InvalidRequest for a text that names no metadata file, SnapshotNotFound when there is none, and
    SnapshotCorrupt or UnsupportedFormat for one that cannot be read or is not as it was sealed.
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
    seal = None if ignore_seal else Seal.read(objects, at)
    if seal:
        require_as_sealed(raw, seal.metadata, at)
    metadata = read_metadata(raw, key=location.key)
    return OpenSnapshot(at, stat.etag, metadata, SnapshotRoots.of(location, metadata), seal)
