from formats.proto.common_pb2 import Flushed, Importing
from formats.proto.data_pb2 import Binlog, FieldBinlog, SegmentInfo, TextIndexStats
from formats.proto.msg_pb2 import MsgPosition
from samples.message_diff import differences


def test_equal_messages_do_not_differ() -> None:
    segment = SegmentInfo(ID=1, start_position=MsgPosition(channel_name="c"))
    assert differences(segment, segment.SerializeToString()) == []


def test_enums_are_told_by_name() -> None:
    found = SegmentInfo(state=Importing).SerializeToString()
    assert differences(SegmentInfo(state=Flushed), found) == ["state is Importing, expected Flushed"]


def test_nested_fields_are_told_by_path() -> None:
    expected = SegmentInfo(
        start_position=MsgPosition(timestamp=1), textStatsLogs={5: TextIndexStats(version=1)}
    )
    found = SegmentInfo(start_position=MsgPosition(timestamp=2), textStatsLogs={5: TextIndexStats(version=3)})
    assert differences(expected, found.SerializeToString()) == [
        "start_position.timestamp is 2, expected 1",
        "textStatsLogs[5].version is 3, expected 1",
    ]


def test_members_too_few_and_too_many_are_told() -> None:
    expected = FieldBinlog(binlogs=[Binlog(logID=1), Binlog(logID=2)])
    assert differences(expected, FieldBinlog(binlogs=[Binlog(logID=1)]).SerializeToString()) == [
        "binlogs[1] is missing"
    ]
    longer = FieldBinlog(binlogs=[*expected.binlogs, Binlog(logID=3)])
    assert differences(expected, longer.SerializeToString()) == ["binlogs[2] is logID: 3, expected none"]


def test_maps_of_numbers_are_compared() -> None:
    found = Binlog(field_null_counts={100: 2}).SerializeToString()
    assert differences(Binlog(field_null_counts={100: 1}), found) == [
        "field_null_counts[100] is 2, expected 1"
    ]


def test_an_empty_submessage_is_not_an_absent_one() -> None:
    found = SegmentInfo(dml_position=MsgPosition()).SerializeToString()
    assert differences(SegmentInfo(), found) == ["dml_position is given, expected not given"]


def test_unknown_fields_are_a_difference() -> None:
    # Field 900, a varint: a later Milvus may have it, but a restore must not invent it.
    assert differences(Binlog(logID=1), Binlog(logID=1).SerializeToString() + b"\xa0\x38\x01") == [
        "has fields that are not known"
    ]


def test_bytes_that_are_no_message_are_told() -> None:
    assert differences(Binlog(), b"\xff") == ["is no Binlog (1 bytes)"]
