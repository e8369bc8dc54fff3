"""The metadata file of a snapshot: protojson of SnapshotMetadata (snapshot-format.md, section 3)."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf import json_format

from formats.errors import SnapshotCorrupt, UnsupportedFormat
from formats.location import ids_of_key
from formats.manifest import manifest_segment_id
from formats.manifest_schema import require_known_version
from formats.proto.data_pb2 import (
    SnapshotLayout,
    SnapshotLayoutReferenced,
    SnapshotLayoutUnknown,
    SnapshotMetadata,
)
from formats.protojson import read_message, read_object


def read_metadata(raw: bytes, *, key: str) -> SnapshotMetadata:
    """Return the snapshot that the metadata file at `key` describes; an unknown layout means Referenced.

    Raises UnsupportedFormat for a format version, layout or enum name that this build does not know, and
    SnapshotCorrupt, naming the key and the field, when the file is no such JSON, lacks snapshot_info or
    collection, belongs to another key, or contradicts itself (snapshot-format.md, sections 1.3 and 3).
    """
    value = read_object(raw, key)
    require_known_version(_format_version(value, key), key)
    metadata = read_message(value, SnapshotMetadata(), key)
    for part in ("snapshot_info", "collection"):
        if not metadata.HasField(part):
            raise SnapshotCorrupt(f"{key}: {part} is missing; a snapshot cannot be restored without it")
    _require_ids(metadata, key)
    _settle_layout(metadata, key)
    _require_lists(metadata, key)
    _require_collection(metadata, key)
    return metadata


def write_metadata(metadata: SnapshotMetadata) -> bytes:
    """Return the metadata as UTF-8 JSON: .proto names, two-space indent, sorted map keys, no default values.

    Members come in order of their field numbers, 64-bit integers as texts (snapshot-format.md, section 3.1).
    """
    value = json_format.MessageToDict(metadata, preserving_proto_field_name=True)
    _sort_member(value, "collection", "partitions", str)
    _sort_member(value, "snapshot_info", "pin_expire_at_ms", int)
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode("utf-8")


def manifest_keys(metadata: SnapshotMetadata) -> dict[int, str]:
    """Return the manifests' keys by segment id; SnapshotCorrupt for one that is named twice or misnamed."""
    keys: dict[int, str] = {}
    for key in metadata.manifest_list:
        segment_id = manifest_segment_id(key)
        if segment_id in keys:
            raise SnapshotCorrupt(
                f"manifest_list names segment {segment_id} twice: {keys[segment_id]} and {key}"
            )
        keys[segment_id] = key
    return keys


def manifest_pointers(metadata: SnapshotMetadata) -> dict[int, str]:
    """Return each segment's own manifest, an object key or StorageV3 JSON, by segment id (section 1.5)."""
    return {each.segment_id: each.manifest for each in metadata.storagev2_manifest_list}


def _format_version(value: dict[str, Any], key: str) -> int:
    """Read the version alone: in a newer format everything else may have changed."""
    spellings = {name: each for name, each in value.items() if name in ("format_version", "formatVersion")}
    return read_message(spellings, SnapshotMetadata(), key).format_version


def _require_ids(metadata: SnapshotMetadata, key: str) -> None:
    stated = ids_of_key(key)
    if stated is None:
        return
    found = (metadata.snapshot_info.collection_id, metadata.snapshot_info.id)
    for name, expected, actual in zip(("collection_id", "id"), stated, found, strict=True):
        if expected != actual:
            raise SnapshotCorrupt(
                f"{key}: snapshot_info.{name}: expected {expected} as in the file's key, found {actual}"
            )


def _settle_layout(metadata: SnapshotMetadata, key: str) -> None:
    if metadata.layout == SnapshotLayoutUnknown:
        metadata.layout = SnapshotLayoutReferenced
    if metadata.layout not in SnapshotLayout.values():
        raise UnsupportedFormat(
            f"{key}: layout: expected one of {', '.join(SnapshotLayout.keys())}, found {metadata.layout}"
        )


def _require_lists(metadata: SnapshotMetadata, key: str) -> None:
    _require_distinct("manifest_list", metadata.manifest_list, key)
    _require_distinct("segment_ids", metadata.segment_ids, key)
    pointers = metadata.storagev2_manifest_list
    _require_distinct("storagev2_manifest_list", [each.segment_id for each in pointers], key)
    segments = set(manifest_keys(metadata))
    _require_same_segments(set(metadata.segment_ids), segments, key)
    for each in pointers:
        if not each.manifest.strip():
            raise SnapshotCorrupt(
                f"{key}: storagev2_manifest_list: segment {each.segment_id} has a blank manifest"
            )
        if each.segment_id not in segments:
            raise SnapshotCorrupt(
                f"{key}: storagev2_manifest_list names segment {each.segment_id}, which manifest_list lacks"
            )


def _require_same_segments(listed: set[int], segments: set[int], key: str) -> None:
    if listed and listed != segments:
        raise SnapshotCorrupt(
            f"{key}: segment_ids and manifest_list differ: only in segment_ids {_some(listed - segments)}, "
            f"only in manifest_list {_some(segments - listed)}"
        )


def _require_collection(metadata: SnapshotMetadata, key: str) -> None:
    collection = metadata.collection
    channels = collection.virtual_channel_names
    _require_distinct("collection.virtual_channel_names", channels, key)
    _require_distinct("collection.partitions", list(collection.partitions.values()), key)
    if collection.num_shards and channels and collection.num_shards != len(channels):
        raise SnapshotCorrupt(
            f"{key}: collection.num_shards: expected {len(channels)} as there are virtual_channel_names, "
            f"found {collection.num_shards}"
        )


def _require_distinct(field: str, values: Sequence[int] | Sequence[str], key: str) -> None:
    seen: set[int | str] = set()
    for value in values:
        if value in seen:
            raise SnapshotCorrupt(f"{key}: {field} names {value} twice")
        seen.add(value)


def _sort_member(value: dict[str, Any], part: str, name: str, order: type) -> None:
    members = value.get(part, {}).get(name)
    if members:
        value[part][name] = dict(sorted(members.items(), key=lambda pair: order(pair[0])))


def _some(ids: Iterable[int], limit: int = 5) -> str:
    in_order = sorted(ids)
    shown = ", ".join(str(each) for each in in_order[:limit])
    return (f"{shown} and {len(in_order) - limit} more" if len(in_order) > limit else shown) or "none"
