"""The folders that a snapshot's paths must lie below (snapshot-format.md, sections 1.3 and 1.6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from formats.errors import InvalidRequest, SnapshotCorrupt
from formats.location import SnapshotLocation, odd_segment
from formats.pointer import read_pointer
from formats.proto.data_pb2 import SnapshotLayoutSelfContained, SnapshotMetadata
from formats.segment import SegmentManifest

_LOGS = ("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files")
_PER_FIELD = ("text_index_files", "json_key_index_files")


@dataclass(frozen=True, slots=True)
class SnapshotRoots:
    """The roots of one snapshot; '' is the bucket itself.

    `former` and `current` differ when a bundle was moved: then `former` at the start of a path stands
    for `current`.
    """

    manifest_root: str
    data_root: str
    former: str
    current: str

    @classmethod
    def of(cls, location: SnapshotLocation, metadata: SnapshotMetadata) -> Self:
        """Return the roots by the snapshot's layout and the place that it was opened from.

        SnapshotCorrupt when a moved bundle does not tell where it was written.
        """
        root = location.root
        if metadata.layout != SnapshotLayoutSelfContained:
            return cls(root, root, root, root)
        return cls(root, _below(root, "files"), _written_root(metadata, location), root)

    def rebase(self, path: str) -> str:
        """Return the path with the bundle's present root in place of the one that it was written under.

        No path stays none.
        """
        if not path or self.former == self.current or not _is_below(path, self.former):
            return path
        return _below(self.current, path.removeprefix(f"{self.former}/") if self.former else path)

    def check(self, path: str) -> None:
        """Return when a data file's path lies below the data root; else InvalidRequest naming both."""
        _check(path, self.data_root)

    def manifest_keys(self, metadata: SnapshotMetadata) -> list[str]:
        """Return the keys of the segment manifests, rebased; InvalidRequest for one outside its root."""
        keys = [self.rebase(key) for key in metadata.manifest_list]
        for key in keys:
            _check(key, self.manifest_root)
        return keys

    def settle(self, manifest: SegmentManifest) -> SegmentManifest:
        """Return the segment with all its paths rebased; InvalidRequest for one outside its root.

        Of a StorageV3 segment's text and JSON index files only the syntax is checked, since its own
        manifest speaks for them.
        """
        settled = manifest if self.former == self.current else _rebased(manifest, self)
        for path in _data_paths(settled):
            if path:
                self.check(path)
        for path in _stats_paths(settled):
            _check(path, "" if settled.storage_version == 3 else self.data_root)
        return settled


def _written_root(metadata: SnapshotMetadata, location: SnapshotLocation) -> str:
    written = metadata.snapshot_info.s3_location
    if not written:
        return location.root
    try:
        return SnapshotLocation.parse(written, written=True).root
    except InvalidRequest as error:
        raise SnapshotCorrupt(f"{location.key}: snapshot_info.s3_location: {error}") from error


def _data_paths(manifest: SegmentManifest) -> Iterable[str]:
    for name in _LOGS:
        for field in getattr(manifest, name):
            yield from (log.log_path for log in field.binlogs)
    for index in manifest.index_files:
        yield from index.index_file_paths
    if manifest.storage_version == 3 and manifest.manifest_path:
        yield read_pointer(manifest.manifest_path, manifest.segment_id).base_path
    else:
        yield manifest.manifest_path


def _stats_paths(manifest: SegmentManifest) -> Iterable[str]:
    for stats in (*manifest.text_index_files, *manifest.json_key_index_files):
        yield from stats.files


def _rebased(manifest: SegmentManifest, roots: SnapshotRoots) -> SegmentManifest:
    entry = manifest.model_dump()
    for log in (log for name in _LOGS for field in entry[name] for log in field["binlogs"]):
        log["log_path"] = roots.rebase(log["log_path"])
    for index in entry["index_files"]:
        _rebase_each(index, "index_file_paths", roots)
    for stats in (stats for name in _PER_FIELD for stats in entry[name]):
        _rebase_each(stats, "files", roots)
    entry["manifest_path"] = _rebased_pointer(manifest, roots)
    return SegmentManifest.model_validate(entry)


def _rebase_each(entry: dict[str, Any], name: str, roots: SnapshotRoots) -> None:
    entry[name] = [roots.rebase(path) for path in entry[name]]


def _rebased_pointer(manifest: SegmentManifest, roots: SnapshotRoots) -> str:
    if manifest.storage_version != 3 or not manifest.manifest_path:
        return roots.rebase(manifest.manifest_path)
    pointer = read_pointer(manifest.manifest_path, manifest.segment_id)
    return pointer.model_copy(update={"base_path": roots.rebase(pointer.base_path)}).text()


def _check(path: str, root: str) -> None:
    odd = odd_segment(path)
    if odd is not None:
        raise InvalidRequest(f"path outside its root: {path!r} has {odd}; expected a key below {root!r}")
    if not _is_below(path, root):
        raise InvalidRequest(f"path outside its root: {path!r} does not lie below {root!r}")


def _is_below(path: str, root: str) -> bool:
    return not root or path.startswith(f"{root}/")


def _below(root: str, path: str) -> str:
    return f"{root}/{path}" if root else path
