"""Segment manifests: one bare Avro datum per file (snapshot-format.md, section 2).

Damage shows in three ways: the datum cannot be read, bytes are left over, or the segment is not the
one that the file's name announces.
"""

import re
from io import BytesIO
from typing import Any

import fastavro
from pydantic import ValidationError

from formats.errors import SnapshotCorrupt, UnsupportedFormat
from formats.manifest_schema import NEWEST_FORMAT, Schema, manifest_schema, require_known_version
from formats.segment import SegmentManifest

_SEGMENT_FILE = re.compile(r"(?:.*/)?([0-9]{1,19})\.avro", re.ASCII | re.DOTALL)
_NOT_AN_AVRO_DATUM = (EOFError, IndexError, ValueError, OverflowError, MemoryError)
_PER_FIELD = ("text_index_files", "json_key_index_files")
_LEVELS = range(4)
_STORAGE_VERSIONS = (0, 2, 3)


def manifest_segment_id(key: str) -> int:
    """Return the segment id that a manifest's file name states; SnapshotCorrupt when it states none."""
    match = _SEGMENT_FILE.fullmatch(key)
    if match is None:
        raise SnapshotCorrupt(
            f"{key}: a segment manifest's file name must be its segment id followed by .avro (section 1.1)"
        )
    return int(match[1])


def decode_manifest(raw: bytes, *, format_version: int, key: str) -> SegmentManifest:
    """Return the segment that the manifest at `key` describes; format_version 0 means 1.

    Raises SnapshotCorrupt, naming the key and the byte or field, when the bytes are no such datum, when
    some are left over or when the segment is not the file name's; UnsupportedFormat for a format or
    storage version that this build does not know (snapshot-format.md, sections 2.1, 2.2 and 8.2).
    """
    require_known_version(format_version, key)
    entry = _read_datum(raw, manifest_schema(format_version), key)
    for name in _PER_FIELD:
        entry[name] = [_flat(each, name, key) for each in entry[name]]
    try:
        manifest = SegmentManifest.model_validate(entry)
    except ValidationError as error:
        raise SnapshotCorrupt(f"{key}: {_first(error)}") from error
    _require_identity(manifest, key)
    return manifest


def encode_manifest(manifest: SegmentManifest, *, format_version: int = NEWEST_FORMAT) -> bytes:
    """Return the manifest's datum; text and JSON entries come in order of field id.

    `manifest_path` has no place in the file: it belongs into the metadata's storagev2_manifest_list.
    Raises UnsupportedFormat when the version is unknown or cannot hold what the manifest says, which
    would otherwise be lost without a trace (snapshot-format.md, section 2.1).
    """
    schema = manifest_schema(format_version)
    _require_room(manifest, format_version)
    entry = manifest.model_dump()
    for name in _PER_FIELD:
        in_order = sorted(entry[name], key=lambda stats: int(stats["field_id"]))
        entry[name] = [{"field_id": stats["field_id"], "stats": stats} for stats in in_order]
    stream = BytesIO()
    fastavro.schemaless_writer(stream, schema, entry)
    return stream.getvalue()


def _read_datum(raw: bytes, schema: Schema, key: str) -> dict[str, Any]:
    stream = BytesIO(raw)
    try:
        entry = fastavro.schemaless_reader(stream, schema, None)
    except _NOT_AN_AVRO_DATUM as error:
        raise SnapshotCorrupt(
            f"{key}: no segment manifest of the snapshot's format version: at byte {stream.tell()} of "
            f"{len(raw)}: {_reason(error)}"
        ) from error
    if stream.tell() != len(raw):
        raise SnapshotCorrupt(
            f"{key}: {len(raw) - stream.tell()} bytes are left over after byte {stream.tell()} of "
            f"{len(raw)}; expected none, so the file is damaged or of another format version"
        )
    assert isinstance(entry, dict)  # noqa: S101 -- the schema is a record's; this tells the type checker
    return entry


def _reason(error: BaseException) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"a text is not UTF-8 ({error.reason})"
    return str(error) or "a value goes beyond the end of the file"


def _flat(entry: dict[str, Any], name: str, key: str) -> dict[str, Any]:
    stats: dict[str, Any] = entry["stats"]
    field_id = entry["field_id"]
    if stats["field_id"] not in (0, field_id):
        raise SnapshotCorrupt(
            f"{key}: {name}: expected stats of field {field_id}, found those of field {stats['field_id']}"
        )
    stats["field_id"] = field_id
    return stats


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}, found {str(first['input'])[:80]}"


def _require_identity(manifest: SegmentManifest, key: str) -> None:
    stated = manifest_segment_id(key)
    if manifest.segment_id != stated:
        raise SnapshotCorrupt(
            f"{key}: segment_id: expected {stated} as in the file's name, found {manifest.segment_id}"
        )
    if manifest.segment_level not in _LEVELS:
        raise SnapshotCorrupt(f"{key}: segment_level: expected 0 to 3, found {manifest.segment_level}")
    if manifest.storage_version not in _STORAGE_VERSIONS:
        raise UnsupportedFormat(
            f"{key}: storage_version: expected one of 0, 2 and 3, found {manifest.storage_version}"
        )


def _require_room(manifest: SegmentManifest, format_version: int) -> None:
    groups = (
        manifest.binlog_files
        + manifest.deltalog_files
        + manifest.statslog_files
        + manifest.bm25_statslog_files
    )
    needs = {
        "index_store_path_version": (2, any(each.index_store_path_version for each in manifest.index_files)),
        "commit_timestamp": (3, manifest.commit_timestamp != 0),
        "child_fields or format": (4, any(each.child_fields or each.format for each in groups)),
    }
    for name, (since, present) in needs.items():
        if present and format_version < since:
            raise UnsupportedFormat(
                f"segment {manifest.segment_id}: format version {format_version} cannot hold {name}; "
                f"write version {since} or newer"
            )
