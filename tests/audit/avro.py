"""A segment's manifest read from its bare Avro bytes, by the tables of snapshot-format.md, section 2.

A kind is the name of a simple type, a list of one kind for an array, or a record's fields in their order.
"""

from typing import Any, Final

Kind = str | list[Any] | dict[str, Any]

VERSIONS: Final = range(5)
_BITS: Final = 2**64


def manifest(body: bytes, version: int) -> dict[str, Any]:
    """What a manifest of a format version says; ValueError when a byte is missing or left over."""
    cursor = Cursor(body)
    entry: dict[str, Any] = cursor.read(_entry(max(version, 1)))
    if cursor.at != len(body):
        raise ValueError(f"{len(body) - cursor.at} bytes follow the manifest")
    return entry


class Cursor:
    """A place in Avro's binary encoding, moved on by each reading."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0

    def read(self, kind: Kind) -> Any:
        if isinstance(kind, dict):
            return {name: self.read(each) for name, each in kind.items()}
        if isinstance(kind, list):
            return [item for size in self._blocks() for item in (self.read(kind[0]) for _ in range(size))]
        if kind == "boolean":
            return bool(self._take(1)[0])
        number = self._number()
        if kind == "unsigned":
            return number % _BITS
        if kind == "long":
            return number
        taken = self._take(number)
        return taken.decode() if kind == "string" else taken

    def _blocks(self) -> Any:
        """The sizes of an array's blocks; a negative one is followed by its bytes' number."""
        while size := self._number():
            if size < 0:
                self._number()
            yield abs(size)

    def _number(self) -> int:
        raw = shift = 0
        while True:
            byte = self._take(1)[0]
            raw |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return raw >> 1 if raw % 2 == 0 else -(raw >> 1) - 1

    def _take(self, size: int) -> bytes:
        taken = self.body[self.at : self.at + size]
        if size < 0 or len(taken) != size:
            raise ValueError(f"{size} bytes are wanted at {self.at} of {len(self.body)}")
        self.at += size
        return taken


def _entry(version: int) -> dict[str, Any]:
    position = {"channel_name": "string", "msg_id": "bytes", "msg_group": "string", "timestamp": "unsigned"}
    logs = [_field_logs(version)]
    return {
        **dict.fromkeys(("segment_id", "partition_id", "segment_level"), "long"),
        "channel_name": "string",
        "num_of_rows": "long",
        "start_position": position,
        "dml_position": position,
        "storage_version": "long",
        "is_sorted": "boolean",
        **({"commit_timestamp": "unsigned"} if version >= 3 else {}),
        **dict.fromkeys(("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files"), logs),
        "index_files": [_index(version)],
        "text_index_files": [{"field_id": "long", "stats": _match_index()}],
        "json_key_index_files": [
            {"field_id": "long", "stats": {**_match_index(), "json_key_stats_data_format": "long"}}
        ],
    }


def _field_logs(version: int) -> dict[str, Any]:
    log = {
        "entries_num": "long",
        "timestamp_from": "unsigned",
        "timestamp_to": "unsigned",
        "log_path": "string",
        "log_size": "long",
        "log_id": "long",
        "memory_size": "long",
    }
    group = {"child_fields": ["long"], "format": "string"} if version >= 4 else {}
    return {"field_id": "long", **group, "binlogs": [log]}


def _index(version: int) -> dict[str, Any]:
    return {
        **dict.fromkeys(("segment_id", "field_id", "index_id", "build_id"), "long"),
        "index_name": "string",
        "index_params": [{"key": "string", "value": "string"}],
        "index_file_paths": ["string"],
        "serialized_size": "unsigned",
        **dict.fromkeys(("index_version", "num_rows", "current_index_version"), "long"),
        "mem_size": "unsigned",
        "current_scalar_index_version": "long",
        **({"index_store_path_version": "long"} if version >= 2 else {}),
    }


def _match_index() -> dict[str, Any]:
    return {
        "field_id": "long",
        "version": "long",
        "files": ["string"],
        **dict.fromkeys(("log_size", "memory_size", "build_id"), "long"),
    }
