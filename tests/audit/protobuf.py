"""The records of etcd read from their bytes, by the field numbers of segment-restore.md, section 4.

A message is a dict of what is not default, by field name. A number that the tables lack is an error, since
a restore writes no other.
"""

from collections.abc import Iterator
from typing import Any, Final

_BITS: Final = 2**64
_LOGS: Final = "data.FieldBinlog*"
_PAIRS: Final = "common.KeyValuePair*"

TABLES: Final[dict[str, dict[int, str]]] = {
    "common.KeyValuePair": {1: "key text", 2: "value text"},
    "common.KeyDataPair": {1: "key text", 2: "data bytes"},
    "msg.MsgPosition": {
        1: "channel_name text",
        2: "msgID bytes",
        3: "msgGroup text",
        4: "timestamp uint",
        5: "WAL_name int",
    },
    "data.SegmentInfo": {
        1: "ID int",
        2: "collectionID int",
        3: "partitionID int",
        4: "insert_channel text",
        5: "num_of_rows int",
        6: "state int",
        7: "max_row_num int",
        8: "last_expire_time uint",
        9: "start_position msg.MsgPosition",
        10: "dml_position msg.MsgPosition",
        17: "is_importing int",
        20: "level int",
        21: "storage_version int",
        25: "is_sorted int",
        26: "textStatsLogs data.TextIndexStats@",
        29: "jsonKeyStats data.JsonKeyStats@",
        32: "manifest_path text",
        36: "commit_timestamp uint",
    },
    "data.FieldBinlog": {
        1: "fieldID int",
        2: "binlogs data.Binlog*",
        3: "child_fields int*",
        4: "format text",
    },
    "data.Binlog": {
        1: "entries_num int",
        2: "timestamp_from uint",
        3: "timestamp_to uint",
        4: "log_path text",
        5: "log_size int",
        6: "logID int",
        7: "memory_size int",
    },
    "data.TextIndexStats": {
        1: "fieldID int",
        2: "version int",
        3: "files text*",
        4: "log_size int",
        5: "memory_size int",
        6: "buildID int",
    },
    "data.JsonKeyStats": {
        1: "fieldID int",
        2: "version int",
        3: "files text*",
        4: "log_size int",
        5: "memory_size int",
        6: "buildID int",
        7: "json_key_stats_data_format int",
    },
    "data.CopySegmentIDMapping": {
        1: "source_segment_id int",
        2: "target_segment_id int",
        3: "partition_id int",
    },
    "data.CopySegmentJob": {
        1: "job_id int",
        3: "collection_id int",
        5: "state int",
        6: "reason text",
        7: "id_mappings data.CopySegmentIDMapping*",
        8: "timeout_ts uint",
        9: "cleanup_ts uint",
        10: "start_ts uint",
        11: "complete_ts uint",
        12: f"options {_PAIRS}",
        13: "total_segments int",
        14: "copied_segments int",
        15: "total_rows int",
        16: "snapshot_name text",
        17: "source_collection_id int",
        19: "external int",
        20: "snapshot_s3_location text",
        22: "snapshot_fingerprint text",
    },
    "data.CopySegmentTask": {
        1: "task_id int",
        2: "job_id int",
        3: "collection_id int",
        4: "node_id int",
        5: "task_version int",
        6: "task_slot int",
        7: "state int",
        8: "reason text",
        9: "id_mappings data.CopySegmentIDMapping*",
        10: "created_ts uint",
        11: "complete_ts uint",
    },
    "index.SegmentIndex": {
        1: "collectionID int",
        2: "partitionID int",
        3: "segmentID int",
        4: "num_rows int",
        5: "indexID int",
        6: "buildID int",
        8: "index_version int",
        9: "state int",
        11: "index_file_keys text*",
        13: "create_time uint",
        14: "serialize_size uint",
        16: "current_index_version int",
        18: "finished_time uint",
        19: "mem_size uint",
        20: "current_scalar_index_version int",
        22: "index_store_path_version int",
    },
    "index.FieldIndex": {1: "index_info index.IndexInfo", 2: "deleted int", 3: "create_time uint"},
    "index.IndexInfo": {
        1: "collectionID int",
        2: "fieldID int",
        3: "index_name text",
        4: "indexID int",
        5: f"type_params {_PAIRS}",
        6: f"index_params {_PAIRS}",
        11: "is_auto_index int",
        12: f"user_index_params {_PAIRS}",
    },
    "etcd.CollectionInfo": {
        1: "ID int",
        2: "schema bytes",
        3: "create_time uint",
        7: "virtual_channel_names text*",
        8: "physical_channel_names text*",
        10: "shards_num int",
        11: "start_positions common.KeyDataPair*",
        12: "consistency_level int",
        13: "state int",
        14: f"properties {_PAIRS}",
        15: "db_id int",
        16: "UpdateTimestamp uint",
        17: "shard_infos bytes*",
    },
    "etcd.PartitionInfo": {
        1: "partitionID int",
        2: "partitionName text",
        3: "partition_created_timestamp uint",
        4: "collection_id int",
        5: "state int",
    },
}


def message(kind: str, body: bytes) -> dict[str, Any]:
    """A message's fields that are not default; ValueError for what its table does not have."""
    found: dict[str, Any] = {}
    for number, value in _fields(body):
        try:
            name, of = TABLES[kind][number].split()
        except KeyError:
            raise ValueError(f"{kind} has a field {number}: {value!r}") from None
        if of.endswith("*"):
            found.setdefault(name, []).extend(_many(of[:-1], value))
        elif of.endswith("@"):
            key, item = _pair(of[:-1], value)
            found.setdefault(name, {})[key] = item
        else:
            found[name] = _one(of, value)
    return without_defaults(found)


def without_defaults(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that proto3 puts on the wire."""
    return {name: value for name, value in fields.items() if value not in (0, "", b"", [], {})}


def _many(kind: str, value: int | bytes) -> list[Any]:
    if kind == "int" and isinstance(value, bytes):
        return [_signed(number) for number in _packed(value)]
    return [_one(kind, value)]


def _pair(kind: str, value: int | bytes) -> tuple[int, Any]:
    parts = dict(_fields(_bytes(value)))
    return _signed(int(parts.get(1, 0))), _one(kind, parts.get(2, b""))


def _one(kind: str, value: int | bytes) -> Any:
    if kind in ("int", "uint"):
        if not isinstance(value, int):
            raise ValueError(f"{value!r} is not a number")
        return _signed(value) if kind == "int" else value
    if kind == "text":
        return _bytes(value).decode()
    return _bytes(value) if kind == "bytes" else message(kind, _bytes(value))


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError(f"{value} is not a length of bytes")
    return value


def _signed(number: int) -> int:
    return number - _BITS if number >= _BITS // 2 else number


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(body):
        tag, at = _varint(body, at)
        size_or_value, at = _varint(body, at)
        if tag & 7 == 0:
            yield tag >> 3, size_or_value
        elif tag & 7 == 2 and at + size_or_value <= len(body):
            yield tag >> 3, body[at : at + size_or_value]
            at += size_or_value
        else:
            raise ValueError(f"no field begins at {at} of {len(body)} bytes")


def _packed(body: bytes) -> Iterator[int]:
    at = 0
    while at < len(body):
        number, at = _varint(body, at)
        yield number


def _varint(body: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(body):
        number |= (body[at] & 0x7F) << shift
        shift += 7
        at += 1
        if body[at - 1] < 0x80:
            return number, at
    raise ValueError("a number is cut off")
