"""A segment's records become the manifest that they were made from, whatever layout they have."""

import pytest

from formats.errors import CatalogCorrupt, SnapshotCorrupt, UnsupportedFormat
from formats.proto.data_pb2 import Binlog, FieldBinlog, JsonKeyStats, SegmentInfo, TextIndexStats
from formats.proto.index_pb2 import IndexInfo, SegmentIndex
from formats.proto.msg_pb2 import MsgPosition
from formats.recorded_indexes import index_files
from formats.recorded_segment import (
    SegmentRecords,
    committed_pointer,
    delta_logs,
    describe_segment,
    folders_of,
    require_owner,
)
from formats.segment import Position
from formats.segment_folders import SegmentFolders

POINTER = '{"ver":2,"base_path":"files/insert_log/1/2/3"}'


def segment(**changes: object) -> SegmentInfo:
    whole = SegmentInfo(ID=3, collectionID=1, partitionID=2, insert_channel="dml_0_1v0", level="L1")
    whole.MergeFrom(SegmentInfo(**changes))  # type: ignore[arg-type]  # fields of the message by name
    return whole


def log(number: int = 7, entries: int = 10, **changes: object) -> Binlog:
    made = Binlog(entries_num=entries, logID=number, log_size=300, memory_size=400)
    made.MergeFrom(Binlog(**changes))  # type: ignore[arg-type]  # as above
    return made


def field(number: int, *logs: Binlog) -> FieldBinlog:
    return FieldBinlog(fieldID=number, binlogs=logs or [log()])


def paths(*fields: object) -> list[str]:
    return [each.log_path for one in fields for each in one.binlogs]  # type: ignore[attr-defined]  # field logs


def test_logs_get_their_keys_back_from_ids() -> None:
    found = describe_segment(
        SegmentRecords(
            segment(),
            binlogs=(field(101), field(100, log(5), log(6))),
            statslogs=(field(100, log(1)),),
            deltalogs=(field(0),),
            bm25logs=(field(102),),
        ),
        "files",
    )
    assert paths(*found.binlog_files) == [
        "files/insert_log/1/2/3/100/5",
        "files/insert_log/1/2/3/100/6",
        "files/insert_log/1/2/3/101/7",
    ]
    assert paths(*found.statslog_files) == ["files/stats_log/1/2/3/100/1"]
    assert paths(*found.deltalog_files) == ["files/delta_log/1/2/3/7"]
    assert paths(*found.bm25_statslog_files) == ["files/bm25_stats/1/2/3/102/7"]


@pytest.mark.parametrize("root", ["", "a/b", "a/b/"])
def test_the_root_may_be_the_bucket_itself_or_a_folder_in_a_folder(root: str) -> None:
    (field_logs,) = describe_segment(SegmentRecords(segment(), binlogs=(field(100),)), root).binlog_files
    assert paths(field_logs) == [f"{root.strip('/')}/insert_log/1/2/3/100/7".lstrip("/")]


def test_logs_within_the_segments_record_win_over_those_beside_it() -> None:
    old = segment(binlogs=[field(100, log(logID=0, log_path="files/insert_log/1/2/3/100/55"))])
    old.binlogs[0].binlogs[0].logID = 0
    found = describe_segment(
        SegmentRecords(old, binlogs=(field(100, log(9)),), deltalogs=(field(0),)), "files"
    )
    ((inserted,), (deleted,)) = ([*each.binlogs] for each in (*found.binlog_files, *found.deltalog_files))
    assert (inserted.log_path, inserted.log_id) == ("files/insert_log/1/2/3/100/55", 55)
    assert deleted.log_path == "files/delta_log/1/2/3/7"


def test_a_log_without_a_size_in_memory_has_that_in_storage() -> None:
    made = log()
    made.memory_size = 0
    ((found,),) = (
        each.binlogs
        for each in describe_segment(SegmentRecords(segment(), binlogs=(field(100, made),)), "f").binlog_files
    )
    assert (found.log_size, found.memory_size) == (300, 300)


def test_a_field_without_logs_is_left_out() -> None:
    found = describe_segment(SegmentRecords(segment(), deltalogs=(FieldBinlog(fieldID=0),)), "files")
    assert found.deltalog_files == ()


@pytest.mark.parametrize(
    ("logs", "recorded", "rows"),
    [
        ([field(100, log(1, 10), log(2, 5)), field(101, log(3, 15))], 7, 15),
        ([field(100, log(1, 15)), field(105, log(3, 5))], 7, 15),
        ([field(100, log(1, 0))], 7, 7),
        ([], 7, 7),
    ],
    ids=["as the logs say", "a field came later", "old logs do not tell", "no logs"],
)
def test_rows_are_counted_by_the_logs_where_they_tell(
    logs: list[FieldBinlog], recorded: int, rows: int
) -> None:
    records = SegmentRecords(segment(num_of_rows=recorded), binlogs=tuple(logs))
    assert describe_segment(records, "files").num_of_rows == rows


def test_positions_keep_what_a_manifest_can_hold() -> None:
    position = MsgPosition(channel_name="dml_0_1v0", msgID=b"\x01", msgGroup="g", timestamp=2**64 - 1)
    found = describe_segment(SegmentRecords(segment(start_position=position)), "files")
    assert found.start_position == Position(
        channel_name="dml_0_1v0", msg_id=b"\x01", msg_group="g", timestamp=2**64 - 1
    )
    assert found.dml_position == Position()


def test_what_is_found_in_a_storage_v3_folder_is_named_there() -> None:
    whole = segment(storage_version=3, manifest_path=POINTER)
    whole.textStatsLogs[101].CopyFrom(TextIndexStats(fieldID=101, version=1, files=["t"], buildID=9))
    whole.jsonKeyStats[102].CopyFrom(
        JsonKeyStats(fieldID=102, version=1, files=["shared_key_index/k"], json_key_stats_data_format=2)
    )
    records = SegmentRecords(
        whole, statslogs=(field(100),), deltalogs=(field(0),), bm25logs=(field(102),), binlogs=(field(0),)
    )
    base = "files/insert_log/1/2/3"
    there = {
        f"{base}/_stats/bloom_filter.100/7",
        f"{base}/_stats/bm25.102/7",
        f"{base}/_delta/7",
        f"{base}/_stats/text_index.101/t",
    }
    found = describe_segment(records, "files", there)
    named = paths(*found.statslog_files, *found.bm25_statslog_files, *found.deltalog_files)
    assert {*named, *found.text_index_files[0].files} == there
    assert found.json_key_index_files[0].files == (f"{base}/_stats/json_stats.102/shared_key_index/k",)
    assert found.manifest_path == POINTER

    elsewhere = describe_segment(records, "files", set())
    assert paths(*elsewhere.statslog_files) == ["files/stats_log/1/2/3/100/7"]
    assert paths(*elsewhere.deltalog_files) == ["files/delta_log/1/2/3/7"]
    assert elsewhere.text_index_files[0].files == ("files/text_log/9/1/1/2/3/101/t",)

    assert paths(*delta_logs(records, "files")) == [f"{base}/_delta/7"]


def test_a_storage_v3_segment_that_committed_nothing_points_nowhere() -> None:
    whole = segment(storage_version=3, manifest_path='{"ver":0,"base_path":"files/insert_log/1/2/3"}')
    assert committed_pointer(whole) is None
    assert describe_segment(SegmentRecords(whole), "files").manifest_path == ""


def test_a_storage_v3_pointer_that_is_none_is_damage() -> None:
    with pytest.raises(SnapshotCorrupt, match="segment 3"):
        committed_pointer(segment(storage_version=3, manifest_path="files/a"))


def test_a_storage_v2_manifest_is_an_objects_key() -> None:
    whole = segment(storage_version=2, manifest_path="files/insert_log/1/2/3/_manifest/8")
    found = describe_segment(
        SegmentRecords(
            whole, binlogs=(FieldBinlog(child_fields=[100, 101], format="parquet", binlogs=[log()]),)
        ),
        "files",
    )
    assert found.manifest_path == whole.manifest_path
    assert (found.binlog_files[0].child_fields, found.binlog_files[0].format) == ((100, 101), "parquet")


@pytest.mark.parametrize("version", [1, 4])
def test_an_unknown_storage_version_is_refused(version: int) -> None:
    with pytest.raises(UnsupportedFormat, match=f"segment 3.*found {version}"):
        describe_segment(SegmentRecords(segment(storage_version=version)), "files")


def test_text_and_json_indexes_have_their_keys_again_in_every_layout() -> None:
    whole = segment()
    whole.textStatsLogs[101].CopyFrom(
        TextIndexStats(fieldID=101, version=2, files=["a", "files/text_log/9/2/1/2/3/101/b"], buildID=9)
    )
    for number, form in ((102, 1), (103, 2)):
        whole.jsonKeyStats[number].CopyFrom(
            JsonKeyStats(
                fieldID=number,
                version=1,
                files=["shredding_data/0", f"files/json_key_index_log/8/1/1/2/3/{number}/old"],
                buildID=8,
                json_key_stats_data_format=form,
            )
        )
    found = describe_segment(SegmentRecords(whole), "files")
    assert found.text_index_files[0].files == (
        "files/text_log/9/2/1/2/3/101/a",
        "files/text_log/9/2/1/2/3/101/b",
    )
    legacy, stats = found.json_key_index_files
    assert legacy.files == (
        "files/json_key_index_log/8/1/1/2/3/102/shredding_data/0",
        "files/json_key_index_log/8/1/1/2/3/102/old",
    )
    assert stats.files[0] == "files/json_stats/2/8/1/1/2/3/103/shredding_data/0"


@pytest.mark.parametrize(
    ("layout", "key"),
    [
        ("BUILD_ROOTED", "files/index_files/9/4/2/3/HNSW"),
        ("COLLECTION_ROOTED", "files/index_v1/1/2/3/9/4/HNSW"),
    ],
)
def test_index_files_lie_by_build_or_by_collection(layout: str, key: str) -> None:
    record = SegmentIndex(
        buildID=9,
        indexID=77,
        index_version=4,
        index_file_keys=["HNSW"],
        serialize_size=5,
        index_store_path_version=layout,
    )
    definition = IndexInfo(fieldID=101, indexID=77, index_name="vec")
    found = index_files(record, definition, folders_of(segment(), "files"))
    assert found.index_file_paths == (key,)
    assert (found.field_id, found.index_name, found.serialized_size) == (101, "vec", 5)


def test_an_unknown_index_layout_is_refused() -> None:
    with pytest.raises(UnsupportedFormat, match="index_store_path_version 2"):
        SegmentFolders("files", 1, 2, 3).index_file(2, 9, 1, "HNSW")


def test_a_record_under_another_segments_key_is_damage() -> None:
    require_owner(segment(), "by-dev/meta/datacoord-meta/s/1/2/3")
    with pytest.raises(CatalogCorrupt, match="1/2/4"):
        require_owner(segment(), "by-dev/meta/datacoord-meta/s/1/2/4")
