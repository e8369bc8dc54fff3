"""What a restore must leave of one segment: its objects by key, and its records by key.

Rules are those of segment-restore.md, sections 2 and 3; ids come from the snapshot, the target and the move.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.audit.paths import Move
from tests.audit.protobuf import without_defaults
from tests.audit.target import Target

FLUSHED, FINISHED, V3 = 4, 3, 3
LOGS = {
    "binlog": "binlog_files",
    "statslog": "statslog_files",
    "deltalog": "deltalog_files",
    "bm25log": "bm25_statslog_files",
}
AT_RESTORE = ("create_time", "finished_time")
"""The fields of an index record that only the restore's own clock knows."""

Segment = Mapping[str, Any]


@dataclass(frozen=True)
class Expectation:
    """Of one segment; `meta` is where Milvus's records lie."""

    segment: Segment
    move: Move
    target: Target
    meta: str

    def objects(self, keys: Collection[str], get: Callable[[str], bytes]) -> dict[str, str]:
        """The source's key by the target's, of every object that is the segment's."""
        return {self.move.target(key): key for key in self._sources(keys, get)}

    def records(self) -> dict[str, dict[str, Any]]:
        """Every record of the published segment, without the times that the restore's clock gave."""
        return {
            f"{self.meta}/datacoord-meta/s/{self._owner}": self._segment_info(),
            **dict(self._logs()),
            **dict(self._indexes()),
        }

    @property
    def _owner(self) -> str:
        return f"{self.move.collection}/{self.move.partition}/{self.move.segment}"

    @property
    def _pointer(self) -> str:
        return str(self.segment.get("manifest_path", ""))

    def _sources(self, keys: Collection[str], get: Callable[[str], bytes]) -> Iterator[str]:
        in_folder = self.segment["storage_version"] == V3 and bool(self._pointer)
        for kind in LOGS.values():
            # What a StorageV3 segment's insert logs are called is made up; no object has these names.
            if not (in_folder and kind == "binlog_files"):
                yield from (log["log_path"] for field in self.segment[kind] for log in field["binlogs"])
        for index in self.segment["index_files"]:
            yield from index["index_file_paths"]
        for match in (*self.segment["text_index_files"], *self.segment["json_key_index_files"]):
            yield from match["stats"]["files"]
        if in_folder:
            yield from self._folder(keys, get)
        elif self._pointer:
            yield self._pointer

    def _folder(self, keys: Collection[str], get: Callable[[str], bytes]) -> Iterator[str]:
        """All below the segment's folder; of the large objects beside it those that its manifest names."""
        pointer = json.loads(self._pointer)
        base = pointer["base_path"]
        manifest = get(f"{base}/_metadata/manifest-{pointer['ver']}.avro")
        beside = f"{base.rpartition('/')[0]}/lobs/"
        for key in keys:
            named = key.startswith(beside) and key.rpartition("/")[2].encode() in manifest
            if named or key.startswith(f"{base}/"):
                yield key

    def _segment_info(self) -> dict[str, Any]:
        return without_defaults(
            {
                "ID": self.move.segment,
                "collectionID": self.move.collection,
                "partitionID": self.move.partition,
                "insert_channel": self.target.channel(self.segment["channel_name"]),
                "num_of_rows": self.segment["num_of_rows"],
                "state": FLUSHED,
                "max_row_num": 1024,
                "last_expire_time": 2**64 - 1,
                "start_position": self._position("start_position"),
                "dml_position": self._position("dml_position"),
                "level": self.segment["segment_level"],
                "storage_version": self.segment["storage_version"],
                "is_sorted": int(self.segment["is_sorted"]),
                "commit_timestamp": self.segment.get("commit_timestamp", 0),
                "manifest_path": self._own_manifest(),
                "textStatsLogs": self._matches("text_index_files"),
                "jsonKeyStats": self._matches("json_key_index_files"),
            }
        )

    def _position(self, which: str) -> dict[str, Any]:
        channel = self.target.channel(self.segment["channel_name"])
        own = {"channel_name": channel, "timestamp": self.segment[which]["timestamp"]}
        return without_defaults({**self.target.positions[channel], **own})

    def _own_manifest(self) -> str:
        if not self._pointer.startswith("{"):
            return self._pointer and self.move.target(self._pointer)
        pointer = json.loads(self._pointer)
        base = self.move.target(pointer["base_path"])
        return f'{{"ver":{pointer["ver"]},"base_path":"{base}"}}'

    def _matches(self, kind: str) -> dict[int, dict[str, Any]]:
        return {each["field_id"]: self._match(each["stats"]) for each in self.segment[kind]}

    def _match(self, stats: Mapping[str, Any]) -> dict[str, Any]:
        renamed = {"fieldID": stats["field_id"], "buildID": self.move.build(stats["build_id"])}
        kept = {name: stats[name] for name in ("version", "log_size", "memory_size")}
        data_format = stats.get("json_key_stats_data_format", 0)
        return without_defaults(
            {
                **renamed,
                **kept,
                "files": list(dict.fromkeys(map(_below_field, stats["files"]))),
                "json_key_stats_data_format": data_format,
            }
        )

    def _logs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for kind, member in LOGS.items():
            for field in self.segment[member]:
                key = f"{self.meta}/datacoord-meta/{kind}/{self._owner}/{field['field_id']}"
                yield key, _field_logs(field)

    def _indexes(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for index in self.segment["index_files"]:
            build = self.move.build(index["build_id"])
            key = f"{self.meta}/segment-index/{self._owner}/{build}"
            yield key, self._index(index, build)

    def _index(self, index: Mapping[str, Any], build: int) -> dict[str, Any]:
        return without_defaults(
            {
                "collectionID": self.move.collection,
                "partitionID": self.move.partition,
                "segmentID": self.move.segment,
                "num_rows": self.segment["num_of_rows"],
                "indexID": self.target.indexes[index["index_name"]],
                "buildID": build,
                "index_version": index["index_version"],
                "state": FINISHED,
                "index_file_keys": list(dict.fromkeys(map(_name, index["index_file_paths"]))),
                "serialize_size": index["serialized_size"],
                "mem_size": index["mem_size"],
                "current_index_version": index["current_index_version"],
                "current_scalar_index_version": index["current_scalar_index_version"],
                "index_store_path_version": index.get("index_store_path_version", 0),
            }
        )


def _field_logs(field: Mapping[str, Any]) -> dict[str, Any]:
    return without_defaults(
        {
            "fieldID": field["field_id"],
            "binlogs": list(_once(map(_log, field["binlogs"]))),
            "child_fields": field.get("child_fields", []),
            "format": field.get("format", ""),
        }
    )


def _log(log: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("entries_num", "timestamp_from", "timestamp_to", "log_size", "memory_size")
    return without_defaults({**{name: log[name] for name in kept}, "logID": log["log_id"]})


def _once(logs: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The logs without those that are named again."""
    seen = set()
    for log in logs:
        if log["logID"] not in seen:
            seen.add(log["logID"])
            yield log


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _below_field(path: str) -> str:
    """What a record calls a file of a text or JSON index: the path below its field's folder (section 3.4)."""
    for folder, depth in (("/_stats/", 1), ("json_stats/", 7), ("json_key_index_log/", 6), ("text_log/", 6)):
        _, found, below = path.partition(folder)
        if found:
            return below.split("/", depth)[depth]
    raise ValueError(f"{path} is of no text or JSON index")
