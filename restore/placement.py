"""Where each segment of a snapshot goes: partitions by name, channels by shard, ids allocated once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from formats.records import SegmentTarget
from formats.segment import SegmentManifest
from restore.errors import SnapshotCorrupt, TargetMismatch
from restore.plan import ListedObject, SegmentPlan, SegmentTree

Allocate = Callable[[int], list[int]]

_L0 = 1
_V3 = 3
_ALL_PARTITIONS = -1
_OTHER_STATS = ("bm25", "text_index", "json_stats", "json_key_index")
"""Kinds below a StorageV3 segment's `_stats/` that say nothing of primary keys."""


@dataclass(frozen=True)
class Placement:
    """The target as segments see it; ids by name, channels by the source's channel.

    `partitions` maps source partition ids to the target's, and lacks those that are not restored; `left_out`
    has their ids. Deletes of a partition that is in neither concern all partitions (segment-restore.md, 1.5).
    """

    collection_id: int
    partitions: Mapping[int, int]
    channels: Mapping[str, str]
    positions: Mapping[str, tuple[bytes, str, int]]
    index_ids: Mapping[str, int]
    created_at: int
    left_out: Collection[int] = frozenset()

    def wanted(self, manifest: SegmentManifest) -> bool:
        """True when the segment is to be restored; deletes that concern all partitions always are."""
        return manifest.partition_id in self.partitions or (
            manifest.segment_level == _L0 and manifest.partition_id not in self.left_out
        )

    def place(self, manifest: SegmentManifest, tree: SegmentTree, allocate: Allocate) -> SegmentPlan:
        """Return the segment's plan with new ids of its own.

        Raises what a segment can deserve before anything is copied: SnapshotCorrupt without its rows or
        stats, TargetMismatch for an index that the target lacks.
        """
        require_rows(manifest)
        require_stats(manifest, tree)
        self._require_indexes(manifest)
        builds = source_builds(manifest)
        segment_id, *new_builds = allocate(1 + len(builds))
        channel = self.channels[manifest.channel_name]
        message_id, message_group, wal_name = self.positions.get(channel, (b"", "", 0))
        target = SegmentTarget(
            collection_id=self.collection_id,
            partition_id=self.partitions.get(manifest.partition_id, _ALL_PARTITIONS),
            segment_id=segment_id,
            channel=channel,
            message_id=message_id,
            message_group=message_group,
            wal_name=wal_name,
            builds=dict(zip(builds, new_builds, strict=True)),
            index_ids={index.index_name: self.index_ids[index.index_name] for index in manifest.index_files},
            created_at=self.created_at,
        )
        return SegmentPlan(source=manifest, target=target, tree=tree)

    def _require_indexes(self, manifest: SegmentManifest) -> None:
        for index in manifest.index_files:
            if index.index_name not in self.index_ids:
                raise TargetMismatch(
                    f"segment {manifest.segment_id} has index {index.index_name!r} on field "
                    f"{index.field_id}; the target has {', '.join(sorted(self.index_ids)) or 'none'}"
                )


def source_builds(manifest: SegmentManifest) -> list[int]:
    """The distinct build ids of a segment, in order; 0 stands for none (segment-restore.md, section 1.8)."""
    builds = [index.build_id for index in manifest.index_files]
    builds += [text.build_id for text in (*manifest.text_index_files, *manifest.json_key_index_files)]
    return [build for build in dict.fromkeys(builds) if build]


def require_rows(manifest: SegmentManifest) -> None:
    """Return when a segment that counts rows names the logs that hold them.

    StorageV3 names them in a manifest of its own.
    """
    counted = manifest.segment_level != _L0 and manifest.num_of_rows > 0 and manifest.storage_version != _V3
    if counted and not any(field.binlogs for field in manifest.binlog_files):
        raise SnapshotCorrupt(
            f"segment {manifest.segment_id} has {manifest.num_of_rows} rows but no insert logs, so that all "
            "of them would be lost; take the snapshot again"
        )


def require_stats(manifest: SegmentManifest, tree: SegmentTree) -> None:
    """Return when the segment's primary key statistics are there, which later deletes need."""
    rows = manifest.segment_level != _L0 and manifest.num_of_rows > 0
    logged = any(field.binlogs for field in manifest.statslog_files)
    if rows and not logged and not any(map(_of_keys, tree.objects)):
        raise SnapshotCorrupt(
            f"segment {manifest.segment_id} has {manifest.num_of_rows} rows but no stats logs; without them "
            "later deletes of its rows would be lost; take the snapshot again"
        )


def _of_keys(listed: ListedObject) -> bool:
    """True unless the statistics are known to be of something else: what is newer than we are may count."""
    kind = listed.key.rpartition("/_stats/")[2].partition(".")[0]
    return listed.kind == "stats" and kind not in _OTHER_STATS
