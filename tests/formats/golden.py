"""Golden bytes of snapshot-format.md, section 8, and the segment that they describe."""

from formats.segment import (
    Binlog,
    FieldBinlog,
    IndexFiles,
    JsonIndex,
    KeyValue,
    Position,
    SegmentManifest,
    TextIndex,
)

MINIMAL_V1 = bytes.fromhex("0204040263060000000000000000060000000000000000")
MINIMAL_V3 = bytes.fromhex("020404026306000000000000000006000000000000000000")
MINIMAL_V5 = bytes.fromhex("02040402630600000000000000000600000000000000000000")

FULL_HAMBA = bytes.fromhex(
    """
    d20fa21f042c62792d6465762d726f6f74636f6f72642d646d6c5f30f22e0a7374617274040102046731c80106646d6c
    04030404673290030401ce0f014eca010104ca01000e70617271756574012a14c801900314696e736572742d6c6f67d8
    0402a00600000136cc010000012814c80190031264656c74612d6c6f67d80404a00600000136ce010000012814c80190
    031273746174732d6c6f67d80406a00600000134d0010000012614c801900310626d32352d6c6f67d80408a006000001
    7cd20fca019203da040e7665635f696478011e166d65747269635f74797065044c3200011c1a696e64657865732f3330
    312f310080400af22e0e8080011002000124ca01ca0116010e0c746578742f3100181a1c000126cc01cc012a010e0c6a
    736f6e2f31002c2e303200
    """
)
FULL_FASTAVRO = bytes.fromhex(
    """
    d20fa21f042c62792d6465762d726f6f74636f6f72642d646d6c5f30f22e0a7374617274040102046731c80106646d6c
    04030404673290030401ce0f02ca0102ca01000e706172717565740214c801900314696e736572742d6c6f67d80402a0
    06000002cc0100000214c80190031264656c74612d6c6f67d80404a006000002ce0100000214c8019003127374617473
    2d6c6f67d80406a006000002d00100000214c801900310626d32352d6c6f67d80408a006000002d20fca019203da040e
    7665635f69647802166d65747269635f74797065044c3200021a696e64657865732f3330312f310080400af22e0e8080
    0110020002ca01ca0116020c746578742f3100181a1c0002cc01cc012a020c6a736f6e2f31002c2e303200
    """
)


def minimal() -> SegmentManifest:
    """Section 8.1."""
    return SegmentManifest(
        segment_id=1,
        partition_id=2,
        segment_level=2,
        channel_name="c",
        num_of_rows=3,
        start_position=Position(),
        dml_position=Position(),
        storage_version=3,
        is_sorted=False,
    )


def full() -> SegmentManifest:
    """Section 8.2."""
    return SegmentManifest(
        segment_id=1001,
        partition_id=2001,
        segment_level=2,
        channel_name="by-dev-rootcoord-dml_0",
        num_of_rows=3001,
        start_position=Position(channel_name="start", msg_id=b"\x01\x02", msg_group="g1", timestamp=100),
        dml_position=Position(channel_name="dml", msg_id=b"\x03\x04", msg_group="g2", timestamp=200),
        storage_version=2,
        is_sorted=True,
        commit_timestamp=999,
        binlog_files=(
            FieldBinlog(
                field_id=101, child_fields=(101,), format="parquet", binlogs=(_log("insert-log", 1),)
            ),
        ),
        deltalog_files=(FieldBinlog(field_id=102, binlogs=(_log("delta-log", 2),)),),
        statslog_files=(FieldBinlog(field_id=103, binlogs=(_log("stats-log", 3),)),),
        bm25_statslog_files=(FieldBinlog(field_id=104, binlogs=(_log("bm25-log", 4),)),),
        index_files=(_index(),),
        text_index_files=(_text(),),
        json_key_index_files=(_json(),),
    )


def _log(path: str, log_id: int) -> Binlog:
    return Binlog(
        entries_num=10,
        timestamp_from=100,
        timestamp_to=200,
        log_path=path,
        log_size=300,
        log_id=log_id,
        memory_size=400,
    )


def _index() -> IndexFiles:
    return IndexFiles(
        segment_id=1001,
        field_id=101,
        index_id=201,
        build_id=301,
        index_name="vec_idx",
        index_params=(KeyValue(key="metric_type", value="L2"),),
        index_file_paths=("indexes/301/1",),
        serialized_size=4096,
        index_version=5,
        num_rows=3001,
        current_index_version=7,
        mem_size=8192,
        current_scalar_index_version=8,
        index_store_path_version=1,
    )


def _text() -> TextIndex:
    return TextIndex(field_id=101, version=11, files=("text/1",), log_size=12, memory_size=13, build_id=14)


def _json() -> JsonIndex:
    return JsonIndex(
        field_id=102,
        version=21,
        files=("json/1",),
        log_size=22,
        memory_size=23,
        build_id=24,
        json_key_stats_data_format=25,
    )
