"""Whether Milvus will find a segment's files again by its records (segment-restore.md, section 3.5).

Records keep ids, versions and base names, from which Milvus puts each path together anew. So a path must
say what its entry says: else the copy is in place, and the loaded segment still lacks it.
"""

from collections.abc import Iterator, Sequence

from formats.errors import SnapshotCorrupt
from formats.layouts import LAYOUTS
from formats.segment import FieldBinlog, JsonIndex, SegmentManifest, TextIndex

_V3 = 3
_FIELD_LOGS = (
    ("binlog_files", "insert_log"),
    ("statslog_files", "stats_log"),
    ("bm25_statslog_files", "bm25_stats"),
)
_OLDEST_JSON_STATS = 2
"""The first data format of JSON stats; before, it was a JSON key index, in a folder of another name."""


def require_found_again(manifest: SegmentManifest, source_folder: str) -> None:
    """Return when every log's and every text or JSON index file's path is the one its record leads to.

    `source_folder` is the root of the paths, with its closing slash. SnapshotCorrupt names the first path
    that is not. StorageV3 finds its files by a manifest of its own; index_records looks at index builds.
    """
    if manifest.storage_version == _V3:
        return
    for path, expected in _whereabouts(manifest):
        if path and not _agrees(path.removeprefix(source_folder).split("/"), expected):
            raise SnapshotCorrupt(
                f"segment {manifest.segment_id}: path {path!r} is not where its entry says, and Milvus will "
                f"look: expected {expected}; take the snapshot again"
            )


def _whereabouts(manifest: SegmentManifest) -> Iterator[tuple[str, str]]:
    """Each path with the layout that it must have; names in braces stand for anything."""
    for name, keyword in _FIELD_LOGS:
        for field in getattr(manifest, name):
            yield from _logs(field, f"{keyword}/{{coll}}/{{part}}/{{seg}}/{field.field_id}/{{log}}")
    for field in manifest.deltalog_files:
        # A delta log may be that of a segment that this one was compacted to.
        yield from _logs(field, "delta_log/{coll}/{part}/{seg}/{log}")
    for text in manifest.text_index_files:
        yield from _files(text, f"text_log/{_build(text)}")
    for json in manifest.json_key_index_files:
        yield from _files(json, _json_folder(json))


def _logs(field: FieldBinlog, expected: str) -> Iterator[tuple[str, str]]:
    return ((log.log_path, expected) for log in field.binlogs)


def _files(index: TextIndex, folder: str) -> Iterator[tuple[str, str]]:
    expected = f"{folder}/{{coll}}/{{part}}/{{seg}}/{index.field_id}/{{file}}"
    return ((path, expected) for path in index.files)


def _build(index: TextIndex) -> str:
    return f"{index.build_id}/{index.version}"


def _json_folder(index: JsonIndex) -> str:
    data_format = index.json_key_stats_data_format
    if data_format < _OLDEST_JSON_STATS:
        return f"json_key_index_log/{_build(index)}"
    return f"json_stats/{data_format}/{_build(index)}"


def _agrees(parts: Sequence[str], expected: str) -> bool:
    """True when the path has no keyword, which is told elsewhere, or goes on from it as expected."""
    start = next((number for number, part in enumerate(parts) if part in LAYOUTS), len(parts))
    pairs = zip(parts[start:], expected.split("/"), strict=False)
    return all(found == wanted or wanted.startswith("{") for found, wanted in pairs)
