"""The examples of segment-restore.md (sections 2.2, 3.1, 3.3, 3.4, 3.7), word for word."""

import pytest

from formats.proto.data_pb2 import FieldBinlog, SegmentInfo
from formats.proto.index_pb2 import SegmentIndex
from formats.proto.msg_pb2 import MsgPosition
from formats.segment import Binlog, IndexFiles, JsonIndex, Position, SegmentManifest, TextIndex
from formats.segment import FieldBinlog as LoggedField
from samples.object_proof import target_objects
from samples.records import Placement, segment_records

CHANNEL = "by-dev-rootcoord-dml_3_444v0"
AT = Placement(
    meta="by-dev/meta",
    collection=444,
    partition=555,
    segment=666,
    channel=CHANNEL,
    start=MsgPosition(channel_name=CHANNEL, timestamp=8),
    dml=MsgPosition(channel_name=CHANNEL, timestamp=9),
    builds={1001: 2001},
    indexes={"vec": 777},
    indexed_at=1_790_000_000,
)


def logged(field: int, path: str) -> tuple[LoggedField, ...]:
    number = int(path.rpartition("/")[2])
    log = Binlog(
        entries_num=10,
        timestamp_from=1,
        timestamp_to=2,
        log_path=path,
        log_size=3,
        log_id=number,
        memory_size=4,
    )
    return (LoggedField(field_id=field, binlogs=(log,)),)


def indexed(layout: int, path: str) -> tuple[IndexFiles, ...]:
    return (
        IndexFiles(
            segment_id=333,
            field_id=100,
            index_id=7,
            build_id=1001,
            index_name="vec",
            index_file_paths=(path,),
            serialized_size=50,
            index_version=1,
            num_rows=10,
            current_index_version=7,
            mem_size=60,
            index_store_path_version=layout,
        ),
    )


def matched(field: int, path: str, data_format: int) -> JsonIndex:
    return JsonIndex(
        field_id=field,
        version=1,
        files=(path,),
        log_size=5,
        memory_size=6,
        build_id=1001,
        json_key_stats_data_format=data_format,
    )


MANIFEST = SegmentManifest(
    segment_id=333,
    partition_id=222,
    segment_level=2,
    channel_name="by-dev-rootcoord-dml_0_111v0",
    num_of_rows=10,
    start_position=Position(timestamp=8),
    dml_position=Position(timestamp=9),
    storage_version=0,
    is_sorted=True,
)


@pytest.mark.parametrize(
    ("files", "target"),
    [
        (
            {"binlog_files": logged(100, "files/insert_log/111/222/333/100/12345")},
            "files/insert_log/444/555/666/100/12345",
        ),
        (
            {"statslog_files": logged(100, "files/stats_log/111/222/333/100/1")},
            "files/stats_log/444/555/666/100/1",
        ),
        ({"deltalog_files": logged(0, "files/delta_log/111/222/333/9")}, "files/delta_log/444/555/666/9"),
        (
            {"bm25_statslog_files": logged(102, "files/bm25_stats/111/222/333/102/7")},
            "files/bm25_stats/444/555/666/102/7",
        ),
        (
            {"index_files": indexed(0, "files/index_files/1001/1/222/333/HNSW_3")},
            "files/index_files/2001/1/555/666/HNSW_3",
        ),
        (
            {"index_files": indexed(1, "files/index_v1/111/222/333/1001/1/HNSW_3")},
            "files/index_v1/444/555/666/2001/1/HNSW_3",
        ),
        (
            {
                "text_index_files": (
                    TextIndex(
                        field_id=101,
                        version=1,
                        files=("files/text_log/1001/1/111/222/333/101/f_0",),
                        log_size=5,
                        memory_size=6,
                        build_id=1001,
                    ),
                )
            },
            "files/text_log/2001/1/444/555/666/101/f_0",
        ),
        (
            {"json_key_index_files": (matched(103, "files/json_key_index_log/1001/1/111/222/333/103/f", 1),)},
            "files/json_key_index_log/2001/1/444/555/666/103/f",
        ),
        (
            {
                "json_key_index_files": (
                    matched(103, "files/json_stats/2/1001/1/111/222/333/103/shredding_data/0", 2),
                )
            },
            "files/json_stats/2/2001/1/444/555/666/103/shredding_data/0",
        ),
    ],
)
def test_objects_are_expected_at_the_paths_of_the_table(files: dict[str, object], target: str) -> None:
    manifest = MANIFEST.model_copy(update=files)
    assert list(target_objects(manifest, (), AT)) == [target]


def test_records_are_expected_at_the_keys_of_the_example() -> None:
    manifest = MANIFEST.model_copy(
        update={
            "binlog_files": logged(102, "files/insert_log/111/222/333/102/5"),
            "statslog_files": logged(100, "files/stats_log/111/222/333/100/6"),
            "deltalog_files": logged(0, "files/delta_log/111/222/333/7"),
            "index_files": indexed(0, "files/index_files/1001/1/222/333/HNSW"),
        }
    )
    assert list(segment_records(manifest, AT)) == [
        "by-dev/meta/datacoord-meta/s/444/555/666",
        "by-dev/meta/datacoord-meta/binlog/444/555/666/102",
        "by-dev/meta/datacoord-meta/statslog/444/555/666/100",
        "by-dev/meta/datacoord-meta/deltalog/444/555/666/0",
        "by-dev/meta/segment-index/444/555/666/2001",
    ]


def test_a_segments_record_has_the_values_of_the_table() -> None:
    record = segment_records(MANIFEST, AT)["by-dev/meta/datacoord-meta/s/444/555/666"]
    assert record == SegmentInfo(
        ID=666,
        collectionID=444,
        partitionID=555,
        insert_channel="by-dev-rootcoord-dml_3_444v0",
        num_of_rows=10,
        state="Flushed",
        max_row_num=1024,
        last_expire_time=18446744073709551615,
        start_position=MsgPosition(channel_name="by-dev-rootcoord-dml_3_444v0", timestamp=8),
        dml_position=MsgPosition(channel_name="by-dev-rootcoord-dml_3_444v0", timestamp=9),
        level="L1",
        is_sorted=True,
    )


def test_a_logs_record_has_no_path() -> None:
    manifest = MANIFEST.model_copy(update={"binlog_files": logged(102, "files/insert_log/111/222/333/102/5")})
    record = segment_records(manifest, AT)["by-dev/meta/datacoord-meta/binlog/444/555/666/102"]
    assert isinstance(record, FieldBinlog)
    assert (record.binlogs[0].logID, record.binlogs[0].log_path) == (5, "")


def test_an_indexs_record_is_linked_by_name() -> None:
    manifest = MANIFEST.model_copy(
        update={"index_files": indexed(1, "files/index_v1/111/222/333/1001/1/HNSW_3")}
    )
    record = segment_records(manifest, AT)["by-dev/meta/segment-index/444/555/666/2001"]
    assert isinstance(record, SegmentIndex)
    assert (record.indexID, record.buildID, record.state, record.nodeID) == (777, 2001, 3, 0)
    assert list(record.index_file_keys) == ["HNSW_3"]
    assert (record.create_time, record.finished_time) == (1_790_000_000, 1_790_000_000)


def test_json_files_are_named_from_below_their_field() -> None:
    path = "files/json_stats/2/1001/1/111/222/333/103/shredding_data/0"
    manifest = MANIFEST.model_copy(update={"json_key_index_files": (matched(103, path, 2),)})
    record = segment_records(manifest, AT)["by-dev/meta/datacoord-meta/s/444/555/666"]
    assert isinstance(record, SegmentInfo)
    assert list(record.jsonKeyStats[103].files) == ["shredding_data/0"]
    assert record.jsonKeyStats[103].buildID == 2001
