"""Text and JSON indexes of a segment: parts of its SegmentInfo, not records of their own (3.4)."""

from collections.abc import Iterable, Mapping

from formats.errors import SnapshotCorrupt
from formats.paths import base_name, below_field
from formats.proto import data_pb2
from formats.segment import SegmentManifest, TextIndex
from formats.target import SegmentTarget
from formats.wire import decode, encode

_V3 = 3
_JSON_FOLDERS = ("shared_key_index/", "shredding_data/")


def text_stats(manifest: SegmentManifest, target: SegmentTarget) -> dict[int, data_pb2.TextIndexStats]:
    """Returns the text-match indexes by field id, files by base name, with new build ids.

    SnapshotCorrupt when a field has two.
    """
    _one_per_field("text", manifest.text_index_files, manifest.segment_id)
    return {
        index.field_id: data_pb2.TextIndexStats(
            fieldID=index.field_id,
            version=index.version,
            files=dict.fromkeys(map(base_name, index.files)),
            log_size=index.log_size,
            memory_size=index.memory_size,
            buildID=target.builds.get(index.build_id, index.build_id),
        )
        for index in manifest.text_index_files
    }


def json_stats(manifest: SegmentManifest, target: SegmentTarget) -> dict[int, data_pb2.JsonKeyStats]:
    """Returns the JSON key indexes or JSON stats by field id, files from below the field's folder.

    SnapshotCorrupt when a field has two, or a file lies in no such folder. Of StorageV3, whose own manifest
    speaks for these files, a path that is short already stays as it is (snapshot-format.md, section 1.6).
    """
    shortened = _short_or_below_field if manifest.storage_version == _V3 else below_field
    _one_per_field("JSON", manifest.json_key_index_files, manifest.segment_id)
    return {
        index.field_id: data_pb2.JsonKeyStats(
            fieldID=index.field_id,
            version=index.version,
            files=dict.fromkeys(map(shortened, index.files)),
            log_size=index.log_size,
            memory_size=index.memory_size,
            buildID=target.builds.get(index.build_id, index.build_id),
            json_key_stats_data_format=index.json_key_stats_data_format,
        )
        for index in manifest.json_key_index_files
    }


def with_text_stats(value: bytes, stats: Mapping[int, data_pb2.TextIndexStats]) -> bytes:
    """Returns a serialized SegmentInfo with these text indexes; all else, unknown fields too, is kept."""
    segment = decode(data_pb2.SegmentInfo, value, "the segment's record")
    for field, each in stats.items():
        segment.textStatsLogs[field].CopyFrom(each)
    return encode(segment)


def with_json_stats(value: bytes, stats: Mapping[int, data_pb2.JsonKeyStats]) -> bytes:
    """Returns a serialized SegmentInfo with these JSON indexes; all else, unknown fields too, is kept."""
    segment = decode(data_pb2.SegmentInfo, value, "the segment's record")
    for field, each in stats.items():
        segment.jsonKeyStats[field].CopyFrom(each)
    return encode(segment)


def _short_or_below_field(path: str) -> str:
    return path if path.startswith(_JSON_FOLDERS) else below_field(path)


def _one_per_field(kind: str, indexes: Iterable[TextIndex], segment: int) -> None:
    seen: set[int] = set()
    for index in indexes:
        if index.field_id in seen:
            raise SnapshotCorrupt(
                f"segment {segment}: field {index.field_id} has two {kind} indexes, expected one; "
                "take the snapshot again"
            )
        seen.add(index.field_id)
