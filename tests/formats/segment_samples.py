from functools import partial
from typing import Any

from formats.keys import MetaKeys
from formats.paths import Relocation, relocate
from formats.segment import Binlog, FieldBinlog, IndexFiles, JsonIndex, Position, SegmentManifest, TextIndex
from formats.target import SegmentTarget

KEYS = MetaKeys()
TARGET = SegmentTarget(
    collection_id=444,
    partition_id=555,
    segment_id=666,
    channel="by-dev-rootcoord-dml_3_444v0",
    message_id=b"\x08\x10",
    message_group="target-group",
    builds={1001: 2001, 1002: 2002},
    index_ids={"vec": 777, "title": 778},
    created_at=1_767_225_600,
)
MOVE = partial(relocate, move=Relocation("files", "files", 444, 555, 666, TARGET.builds))


def log(path: str, **changes: Any) -> Binlog:
    entry = {
        "entries_num": 1000,
        "timestamp_from": 2**63 + 1,
        "timestamp_to": 2**63 + 2,
        "log_path": path,
        "log_size": 4096,
        "log_id": 0,
        "memory_size": 8192,
    }
    return Binlog(**{**entry, **changes})


def logs(field: int, *paths: str, **changes: Any) -> FieldBinlog:
    return FieldBinlog(field_id=field, binlogs=tuple(map(log, paths)), **changes)


def index(**changes: Any) -> IndexFiles:
    entry = {
        "segment_id": 333,
        "field_id": 102,
        "index_id": 11,
        "build_id": 1001,
        "index_name": "vec",
        "index_file_paths": (
            "files/index_files/1001/1/222/333/HNSW_0",
            "files/index_files/1001/1/222/333/SLICE_META",
        ),
        "serialized_size": 500,
        "index_version": 1,
        "num_rows": 999,
        "current_index_version": 7,
        "mem_size": 900,
        "current_scalar_index_version": 2,
    }
    return IndexFiles(**{**entry, **changes})


def manifest(**changes: Any) -> SegmentManifest:
    entry = {
        "segment_id": 333,
        "partition_id": 222,
        "segment_level": 2,
        "channel_name": "by-dev-rootcoord-dml_0_111v0",
        "num_of_rows": 1000,
        "start_position": Position(channel_name="source", msg_id=b"old", msg_group="g", timestamp=100),
        "dml_position": Position(channel_name="source", msg_id=b"older", msg_group="g", timestamp=2**64 - 1),
        "storage_version": 2,
        "is_sorted": True,
        "commit_timestamp": 2**64 - 2,
        "binlog_files": (
            logs(0, "files/insert_log/111/222/333/0/41", child_fields=(0, 1, 100), format="parquet"),
            logs(102, "files/insert_log/111/222/333/102/42", child_fields=(102,)),
        ),
        "statslog_files": (
            logs(100, "files/stats_log/111/222/333/100/43", "files/stats_log/111/222/333/100/1"),
        ),
        "deltalog_files": (logs(0, "files/delta_log/111/222/333/44"),),
        "bm25_statslog_files": (logs(103, "files/bm25_stats/111/222/333/103/45"),),
        "index_files": (index(),),
        "text_index_files": (
            TextIndex(
                field_id=101,
                version=3,
                files=("files/text_log/1002/3/111/222/333/101/f_0",),
                log_size=12,
                memory_size=13,
                build_id=1002,
            ),
        ),
        "json_key_index_files": (
            JsonIndex(
                field_id=104,
                version=4,
                files=("files/json_stats/2/1002/4/111/222/333/104/shredding_data/0",),
                log_size=22,
                memory_size=23,
                build_id=1002,
                json_key_stats_data_format=2,
            ),
        ),
    }
    return SegmentManifest(**{**entry, **changes})


V3 = {"storage_version": 3, "manifest_path": '{"ver": 2, "base_path": "files/insert_log/111/222/333"}'}
L0 = {
    "segment_level": 1,
    "num_of_rows": 0,
    "binlog_files": (),
    "statslog_files": (),
    "bm25_statslog_files": (),
    "index_files": (),
    "text_index_files": (),
    "json_key_index_files": (),
}
