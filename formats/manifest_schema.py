"""Avro schemas of segment manifests, V1 to V4 (snapshot-format.md, sections 2.2 to 2.4).

The order of the fields is the format. Unsigned values are declared as a logical type of `long`, so
that reading and writing convert them; other readers see plain longs.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import fastavro
import fastavro.read
import fastavro.write

from formats.errors import UnsupportedFormat

NEWEST_FORMAT = 4
"""The newest format_version that can be read, and the one that is written."""

Schema = dict[str, Any]
Type = str | Schema

_UINT64: Schema = {"type": "long", "logicalType": "uint64"}


def _unsigned(value: int, *_: object) -> int:
    return value & 0xFFFFFFFFFFFFFFFF


def _signed(value: int, *_: object) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


fastavro.read.LOGICAL_READERS["long-uint64"] = _unsigned
fastavro.write.LOGICAL_WRITERS["long-uint64"] = _signed


def require_known_version(format_version: int, where: str) -> None:
    """Return when this build reads the version; else raise UnsupportedFormat (section 3.2)."""
    if not 0 <= format_version <= NEWEST_FORMAT:
        raise UnsupportedFormat(
            f"{where}: snapshot format version {format_version} is not supported; the newest supported "
            f"version is {NEWEST_FORMAT}"
        )


@cache
def manifest_schema(format_version: int) -> Schema:
    """Return the parsed schema of ManifestEntry; version 0 means 1. UnsupportedFormat for any other."""
    require_known_version(format_version, "segment manifest")
    parsed = fastavro.parse_schema(_manifest_entry(format_version))
    assert isinstance(parsed, dict)  # noqa: S101 -- a record's schema is a dict; this tells the type checker
    return parsed


def _manifest_entry(version: int) -> Schema:
    commit_timestamp: Mapping[str, Type] = {"commit_timestamp": _UINT64} if version >= 3 else {}
    return _record(
        "ManifestEntry",
        segment_id="long",
        partition_id="long",
        segment_level="long",
        channel_name="string",
        num_of_rows="long",
        start_position=_position(),
        dml_position="AvroMsgPosition",
        storage_version="long",
        is_sorted="boolean",
        **commit_timestamp,
        binlog_files=_array(_field_binlog(version)),
        deltalog_files=_array("AvroFieldBinlog"),
        statslog_files=_array("AvroFieldBinlog"),
        bm25_statslog_files=_array("AvroFieldBinlog"),
        index_files=_array(_index_files(version)),
        text_index_files=_array(_per_field("AvroTextIndexEntry", _text_stats())),
        json_key_index_files=_array(_per_field("AvroJSONKeyIndexEntry", _json_stats())),
    )


def _position() -> Schema:
    return _record(
        "AvroMsgPosition", channel_name="string", msg_id="bytes", msg_group="string", timestamp=_UINT64
    )


def _field_binlog(version: int) -> Schema:
    group: Mapping[str, Type] = {"child_fields": _array("long"), "format": "string"} if version >= 4 else {}
    return _record("AvroFieldBinlog", field_id="long", **group, binlogs=_array(_binlog()))


def _binlog() -> Schema:
    return _record(
        "AvroBinlog",
        entries_num="long",
        timestamp_from=_UINT64,
        timestamp_to=_UINT64,
        log_path="string",
        log_size="long",
        log_id="long",
        memory_size="long",
    )


def _index_files(version: int) -> Schema:
    path_version: Mapping[str, Type] = {"index_store_path_version": "int"} if version >= 2 else {}
    return _record(
        "AvroIndexFilePathInfo",
        segment_id="long",
        field_id="long",
        index_id="long",
        build_id="long",
        index_name="string",
        index_params=_array(_record("AvroKeyValuePair", key="string", value="string")),
        index_file_paths=_array("string"),
        serialized_size=_UINT64,
        index_version="long",
        num_rows="long",
        current_index_version="int",
        mem_size=_UINT64,
        current_scalar_index_version="int",
        **path_version,
    )


def _per_field(name: str, stats: Schema) -> Schema:
    return _record(name, field_id="long", stats=stats)


_STATS: Mapping[str, Type] = {
    "field_id": "long",
    "version": "long",
    "files": {"type": "array", "items": "string"},
    "log_size": "long",
    "memory_size": "long",
    "build_id": "long",
}


def _text_stats() -> Schema:
    return _record("AvroTextIndexStats", **_STATS)


def _json_stats() -> Schema:
    return _record("AvroJSONKeyStats", **_STATS, json_key_stats_data_format="long")


def _record(name: str, /, **fields: Type) -> Schema:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": field, "type": kind} for field, kind in fields.items()],
    }


def _array(items: Type) -> Schema:
    return {"type": "array", "items": items}
