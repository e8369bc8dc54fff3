"""What a segment's plan will ask of paths and records, tried out before the first byte is copied."""

from formats.keys import MetaKeys
from formats.paths import Relocation, relocate
from formats.records import hidden_records
from formats.segment import SegmentManifest
from formats.whereabouts import require_found_again
from restore.errors import SnapshotCorrupt
from restore.plan import SegmentPlan

_V3 = 3
_LOGS = ("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files")


def rehearse(segment: SegmentPlan, *, source_root: str, target_root: str) -> None:
    """Return when each object has a place of its own in the target, and every record can be made.

    Raises what relocate and hidden_records raise, and SnapshotCorrupt when two objects would become one, a
    log names none, or Milvus would look for a file elsewhere.
    """
    target = segment.target
    move = Relocation(
        source_root=source_root,
        target_root=target_root,
        collection_id=target.collection_id,
        partition_id=target.partition_id,
        segment_id=target.segment_id,
        builds=target.builds,
    )
    sources: dict[str, str] = {}
    for _, path, _ in segment.named_objects():
        other = sources.setdefault(relocate(path, move), path)
        if other != path:
            raise SnapshotCorrupt(
                f"segment {segment.source.segment_id}: {other!r} and {path!r} differ in nothing but ids that "
                "a restore replaces, so that one would be lost; take the snapshot again"
            )
    _require_paths(segment.source)
    require_found_again(segment.source, move.source_folder)
    hidden_records(segment.source, target, MetaKeys(), lambda path: relocate(path, move))


def _require_paths(manifest: SegmentManifest) -> None:
    """StorageV3 finds files by its own manifest; before, Milvus looks for each recorded log's object."""
    if manifest.storage_version == _V3:
        return
    for name in _LOGS:
        for field in getattr(manifest, name):
            for log in field.binlogs:
                if not log.log_path:
                    raise SnapshotCorrupt(
                        f"segment {manifest.segment_id}, field {field.field_id}: log {log.log_id} of {name} "
                        "has no path, so that its object cannot be copied; take the snapshot again"
                    )
