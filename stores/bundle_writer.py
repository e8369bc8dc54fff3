"""Writing a snapshot as a bundle that holds its own data (snapshot-format.md, section 1.6)."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from itertools import islice

from formats.census import SegmentCensus
from formats.manifest import encode_manifest
from formats.manifest_schema import NEWEST_FORMAT
from formats.metadata import read_metadata, write_metadata
from formats.proto.data_pb2 import SnapshotLayoutSelfContained, SnapshotMetadata
from formats.roots import SnapshotRoots
from formats.segment import SegmentManifest
from formats.target import SegmentTarget
from restore.errors import ObjectMismatch
from restore.plan import SegmentPlan
from restore.snapshot_export import ExportCount
from restore.source_objects import SourceObject
from stores.in_flight import each_in_flight
from stores.inventory import Inventory, same_content
from stores.ports import Location, ObjectStat, ObjectStore
from stores.segment_trees import SegmentTrees
from stores.snapshots import OpenSnapshot, ReadManifest
from stores.source_survey import SourceSurvey

Tell = Callable[[ExportCount], None]


@dataclass(frozen=True, slots=True)
class Ends:
    """Both stores of an export, and the threads that list and copy.

    `go_on` is asked before and within copies; after a False `check` raises.
    """

    source: ObjectStore
    target: ObjectStore
    listing: Executor
    copying: Executor
    go_on: Callable[[], bool]
    check: Callable[[], None]


class BundleWriter:
    """Writes one bundle; what an earlier attempt has copied is looked at, and left."""

    def __init__(self, snapshot: OpenSnapshot, ends: Ends, bucket: str, root: str) -> None:
        self._snapshot = snapshot
        self._ends = ends
        self._bucket = bucket
        self._root = root
        data = f"{root}/files"
        self._roots = SnapshotRoots(root, data, snapshot.roots.data_root, data)
        self._survey = SourceSurvey(ends.source, snapshot.at.bucket, ends.listing)
        self._trees = SegmentTrees(ends.source, snapshot.at.bucket)

    def write(self, tell: Tell) -> tuple[ExportCount, str]:
        """Have the whole bundle, the metadata last; return what is in it, and the metadata's URI.

        `tell` hears after each segment. Raises ObjectMissing or ObjectMismatch for a source that is not what
        its manifest says.
        """
        count, exported = ExportCount(), self._metadata()
        census = SegmentCensus(self._snapshot.metadata, self._snapshot.roots)
        for read in self._snapshot.read_manifests(self._ends.source, self._ends.listing):
            count = self._segment(read, census, exported, count)
            tell(count)
        census.close()
        body, at = write_metadata(exported), self._at("metadata", f"{self._snapshot.source.id}.json")
        read_metadata(body, key=at.key)  # what we could not read ourselves is not left here
        self._ends.target.put(at, body)
        return count, str(at)

    def _metadata(self) -> SnapshotMetadata:
        """The metadata without its segments."""
        exported = SnapshotMetadata()
        exported.CopyFrom(self._snapshot.metadata)
        exported.format_version = NEWEST_FORMAT
        exported.layout = SnapshotLayoutSelfContained
        info = exported.snapshot_info
        info.s3_location = str(self._at("metadata", f"{self._snapshot.source.id}.json"))
        info.pin_ids.clear()
        info.pin_expire_at_ms.clear()
        exported.manifest_list.clear()
        exported.storagev2_manifest_list.clear()
        return exported

    def _segment(
        self,
        read: ReadManifest,
        census: SegmentCensus,
        exported: SnapshotMetadata,
        count: ExportCount,
    ) -> ExportCount:
        manifest = census.admit(read.manifest)
        objects, skipped, size = self._copy(self._planned(manifest, read))
        moved = self._moved(manifest)
        at = self._at(f"manifests/{self._snapshot.source.id}", f"{manifest.segment_id}.avro")
        self._ends.target.put(at, encode_manifest(moved))
        exported.manifest_list.append(at.key)
        if moved.manifest_path:
            exported.storagev2_manifest_list.add(segment_id=manifest.segment_id, manifest=moved.manifest_path)
        return ExportCount(
            segments=count.segments + 1,
            rows=count.rows + manifest.num_of_rows,
            objects=count.objects + objects,
            objects_skipped=count.objects_skipped + skipped,
            bytes=count.bytes + size,
        )

    def _moved(self, manifest: SegmentManifest) -> SegmentManifest:
        """The segment as it lies in the bundle; of StorageV3 its own manifest speaks for insert logs."""
        moved = self._roots.settle(manifest)
        return moved.model_copy(update={"binlog_files": ()}) if moved.storage_version == 3 else moved

    def _planned(self, manifest: SegmentManifest, read: ReadManifest) -> list[SourceObject]:
        """Its objects as they were found, and are as recorded, or sealed."""
        segment = SegmentPlan(  # nothing of it is renumbered
            source=manifest,
            target=SegmentTarget(
                collection_id=self._snapshot.source.collection_id,
                partition_id=manifest.partition_id,
                segment_id=manifest.segment_id,
                channel=manifest.channel_name,
                builds={},
                index_ids={},
                created_at=0,
            ),
            tree=self._trees.look(manifest),
            sealed=read.sealed.objects if read.sealed else (),
        )
        (seen,) = self._survey.look([segment])
        return list(seen.objects())

    def _copy(self, planned: list[SourceObject]) -> tuple[int, int, int]:
        """Have all of a segment's objects in the bundle; their number, how many were there, bytes."""
        bucket, keys = self._snapshot.at.bucket, [each.source for each in planned]
        listed = Inventory.take(self._ends.source, bucket, keys, self._ends.listing)
        sources = listed.confirmed(self._ends.source, keys, self._ends.listing)
        stats = [sources.source_of(each) for each in planned]
        there = self._there(keys)
        waiting = [each for each in stats if not _same(each, there.get(self._roots.rebase(each.key)))]
        for done in each_in_flight(self._ends.copying, self._one, waiting):
            if not done:
                break
        self._ends.check()
        if waiting:
            self._require_all(stats)
        return len(stats), len(stats) - len(waiting), sum(each.size for each in stats)

    def _one(self, stat: ObjectStat) -> bool:
        if not self._ends.go_on():
            return False
        source = Location(self._snapshot.at.bucket, stat.key)
        target = Location(self._bucket, self._roots.rebase(stat.key))
        if self._ends.source.endpoint == self._ends.target.endpoint:
            return self._ends.target.copy(source, target, stat, self._ends.go_on)
        self._ends.target.receive(self._ends.source, source, target, stat)
        return True

    def _require_all(self, stats: list[ObjectStat]) -> None:
        there = self._there([each.key for each in stats])
        for each in stats:
            at = self._roots.rebase(each.key)
            if not _same(each, there.get(at)):
                raise ObjectMismatch(
                    f"{Location(self._bucket, at)} is not as its source {each.key} of {each.size} bytes, "
                    f"found {there.get(at)}; the export is not whole, start it again"
                )

    def _there(self, keys: list[str]) -> dict[str, ObjectStat]:
        wanted = [self._roots.rebase(key) for key in keys]
        listed = Inventory.take(self._ends.target, self._bucket, wanted, self._ends.listing)
        return listed.confirmed(self._ends.target, wanted, self._ends.listing).found

    def _at(self, folder: str, name: str) -> Location:
        collection = self._snapshot.source.collection_id
        return Location(self._bucket, f"{self._root}/snapshots/{collection}/{folder}/{name}")


def _same(source: ObjectStat, target: ObjectStat | None) -> bool:
    """The key is ours alone and objects appear whole, so equal size is enough where ETags cannot say."""
    return target is not None and same_content(source, target) is not False


def remove_bundle(objects: ObjectStore, bucket: str, root: str) -> int:
    """Have nothing below a bundle's root, unfinished uploads neither; return how many objects there were."""
    objects.abort_uploads(bucket, f"{root}/")
    removed = 0
    for batch in _batches(stat.key for stat in objects.scan(bucket, f"{root}/")):
        objects.delete(bucket, batch)
        removed += len(batch)
    return removed


def _batches(keys: Iterator[str]) -> Iterator[list[str]]:
    return iter(lambda: list(islice(keys, 1_000)), [])
