"""Writing a snapshot's files: a manifest per segment, then the metadata (snapshot-format.md, section 1.2)."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from formats.catalog import TargetCollection
from formats.contradictions import require_consistent
from formats.description import collection_description, snapshot_metadata
from formats.errors import CatalogCorrupt, SnapshotCorrupt
from formats.inclusion import Boundary
from formats.manifest import encode_manifest
from formats.metadata import read_metadata, write_metadata
from formats.proto.data_pb2 import SnapshotInfo
from formats.recorded_segment import SegmentRecords
from formats.segment import SegmentManifest
from restore.placement import source_builds
from restore.snapshot_steps import SnapshotCount
from stores.in_flight import each_in_flight
from stores.segment_catalog import SegmentCatalog
from stores.segment_objects import SegmentObjects
from stores.snapshot_files import SnapshotFiles

Tell = Callable[[SnapshotCount], None]


@dataclass(frozen=True, slots=True)
class _Written:
    """What the metadata needs of a segment whose manifest is stored."""

    segment: int
    pointer: str
    builds: tuple[int, ...]
    count: SnapshotCount


class SnapshotWriter:
    """Writes one snapshot; what an earlier attempt has left is written over, or removed."""

    def __init__(
        self,
        catalog: SegmentCatalog,
        segments: SegmentObjects,
        files: SnapshotFiles,
        threads: Executor,
    ) -> None:
        self._catalog = catalog
        self._segments = segments
        self._files = files
        self._threads = threads

    def write(
        self, info: SnapshotInfo, collection: TargetCollection, database: str, tell: Tell
    ) -> SnapshotCount:
        """Store all files, the metadata last, and return what the snapshot contains.

        `info` is the pending record, whose positions and partitions decide what belongs to it. `tell` hears
        after each segment.
        """
        written = sorted(self._manifests(info, tell), key=lambda each: each.segment)
        keys = {each.segment: self._files.manifest(each.segment).key for each in written}
        self._files.prune(keys.values())
        metadata = snapshot_metadata(
            info,
            collection_description(collection, database),
            collection.indexes,
            keys,
            pointers={each.segment: each.pointer for each in written if each.pointer},
            builds=sorted({build for each in written for build in each.builds}),
        )
        body = write_metadata(metadata)
        read_metadata(body, key=self._files.metadata.key)  # what we could not read ourselves is not left here
        self._files.objects.put(self._files.metadata, body)
        return _sum(written)

    def _manifests(self, info: SnapshotInfo, tell: Tell) -> Iterator[_Written]:
        boundary = Boundary(
            seek={each.channel_name: each.timestamp for each in info.channel_seek_positions},
            partitions=frozenset(info.partition_ids),
        )
        total = SnapshotCount()
        for written in each_in_flight(self._threads, self._store, self._catalog.within(boundary)):
            total = total.plus(written.count)
            tell(total)
            yield written

    def _store(self, records: SegmentRecords) -> _Written:
        manifest, count = self._segments.describe(records)
        at = self._files.manifest(manifest.segment_id)
        _require_readable(manifest, at.key)
        self._files.objects.put(at, encode_manifest(manifest))
        return _Written(
            segment=manifest.segment_id,
            pointer=manifest.manifest_path,
            builds=tuple(source_builds(manifest)),
            count=count,
        )


def _require_readable(manifest: SegmentManifest, key: str) -> None:
    """Refuse what a restore would refuse: the records are at fault, and a later snapshot has them as well."""
    try:
        require_consistent(manifest, key)
    except SnapshotCorrupt as error:
        raise CatalogCorrupt(f"the catalog's records of segment {manifest.segment_id}: {error}") from error


def _sum(written: list[_Written]) -> SnapshotCount:
    total = SnapshotCount()
    for each in written:
        total = total.plus(each.count)
    return total
