"""The objects of a segment that a snapshot is about to name: all there, and as large as they are."""

from collections.abc import Iterable

from formats.errors import CatalogCorrupt, SnapshotCorrupt
from formats.paths import prefixes
from formats.recorded_segment import SegmentRecords, describe_segment
from formats.segment import FieldBinlog, SegmentManifest
from restore.errors import ObjectMissing
from restore.placement import require_stats
from restore.plan import segment_objects
from restore.snapshot_steps import SnapshotCount
from stores.ports import Location, ObjectStore
from stores.segment_trees import SegmentTrees

_LOGS = ("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files")


class SegmentObjects:
    """Looks into the bucket of a cluster."""

    def __init__(self, objects: ObjectStore, bucket: str, root: str) -> None:
        self._objects = objects
        self._bucket = bucket
        self._root = root.strip("/")
        self._trees = SegmentTrees(objects, bucket)

    def describe(self, records: SegmentRecords) -> tuple[SegmentManifest, SnapshotCount]:
        """Return the segment's manifest with the sizes that are found, and what it comes to.

        Sizes are the store's, since clusters before 2.4 record the sizes that logs have in memory.
        Raises ObjectMissing for an object that the records name and the store lacks, and CatalogCorrupt for
        records that lack the statistics of primary keys or contradict themselves.
        """
        try:
            manifest = describe_segment(records, self._root)
            tree = self._trees.look(manifest)
            if tree.objects:
                there = {each.key for each in tree.objects}
                manifest = describe_segment(records, self._root, there)
            require_stats(manifest, tree)
        except SnapshotCorrupt as error:
            raise CatalogCorrupt(f"the catalog's records of {error}") from error
        found = {each.key: each.size for each in tree.objects}
        named = [(kind, key) for kind, key, _ in segment_objects(manifest, tree)]
        found |= self._sizes(key for _, key in named if key not in found)
        for kind, key in named:
            self._require(key in found, kind, key, manifest)
        count = SnapshotCount(
            segments=1,
            rows=manifest.num_of_rows,
            objects=len(named),
            bytes=sum(found[key] for _, key in named),
        )
        return _sized(manifest, found), count

    def _sizes(self, keys: Iterable[str]) -> dict[str, int]:
        """List the folders of the keys; what a listing does not show yet is asked for by name."""
        wanted = set(keys)
        found = {
            stat.key: stat.size
            for folder in prefixes(wanted)
            for stat in self._objects.scan(self._bucket, folder)
            if stat.key in wanted
        }
        for key in wanted - found.keys():
            stat = self._objects.stat(Location(self._bucket, key))
            if stat is not None:
                found[key] = stat.size
        return found

    def _require(self, there: bool, kind: str, key: str, manifest: SegmentManifest) -> None:
        if not there:
            raise ObjectMissing(
                f"{kind} object {Location(self._bucket, key)} of segment {manifest.segment_id} is named by "
                "the catalog but is absent, so no snapshot was taken; check the profile's bucket and root "
                "path, else the collection itself is damaged"
            )


def _sized(manifest: SegmentManifest, sizes: dict[str, int]) -> SegmentManifest:
    def sized(field: FieldBinlog) -> FieldBinlog:
        logs = (
            log.model_copy(update={"log_size": sizes.get(log.log_path, log.log_size)})
            for log in field.binlogs
        )
        return field.model_copy(update={"binlogs": tuple(logs)})

    changed = {name: tuple(sized(field) for field in getattr(manifest, name)) for name in _LOGS}
    return manifest.model_copy(update=changed)
