import pytest

from formats.errors import SnapshotCorrupt, UnsupportedFormat
from formats.proto import common_pb2, data_pb2
from formats.records import (
    binlog_records,
    hidden_records,
    index_records,
    json_stats,
    published,
    published_records,
    segment_info,
    text_stats,
    with_json_stats,
    with_text_stats,
)
from formats.segment import Position
from formats.target import SegmentTarget
from tests.formats.segment_samples import KEYS, L0, MOVE, TARGET, V3, manifest

CHANNEL = TARGET.channel


def with_unknown(value: bytes) -> bytes:
    """The message with a field of a newer Milvus: number 1000, a length-delimited text."""
    return value + bytes((0xC2, 0x3E, 3)) + b"new"


def read(value: bytes) -> data_pb2.SegmentInfo:
    return data_pb2.SegmentInfo.FromString(value)


def test_a_segment_is_registered_hidden_and_keeps_what_the_snapshot_says() -> None:
    segment = segment_info(manifest(), TARGET, MOVE)
    assert (segment.ID, segment.collectionID, segment.partitionID) == (666, 444, 555)
    assert segment.insert_channel == CHANNEL
    assert segment.state == common_pb2.Importing
    assert segment.is_importing
    assert segment.num_of_rows == 1000
    assert segment.max_row_num == 1024
    assert segment.last_expire_time == 2**64 - 1
    assert segment.level == data_pb2.L1
    assert segment.storage_version == 2
    assert segment.is_sorted
    assert segment.commit_timestamp == 2**64 - 2
    assert not segment.manifest_path
    assert not segment.binlogs
    assert not segment.compactionFrom


def test_positions_are_of_the_target_channel_with_the_sources_time() -> None:
    segment = segment_info(manifest(), TARGET, MOVE)
    for position, time in ((segment.start_position, 100), (segment.dml_position, 2**64 - 1)):
        assert position.channel_name == CHANNEL
        assert position.msgID == b"\x08\x10"
        assert position.msgGroup == "target-group"
        assert position.timestamp == time


def test_a_segment_without_positions_gets_some_or_it_would_be_silently_empty() -> None:
    segment = segment_info(manifest(start_position=Position(), dml_position=Position()), TARGET, MOVE)
    assert segment.HasField("start_position")
    assert segment.HasField("dml_position")
    assert segment.dml_position.channel_name == CHANNEL


def test_a_target_without_checkpoint_never_inherits_the_sources_message_id() -> None:
    target = TARGET.model_copy(update={"message_id": b"", "message_group": ""})
    segment = segment_info(manifest(), target, MOVE)
    assert not segment.dml_position.msgID
    assert not segment.dml_position.msgGroup
    assert segment.dml_position.timestamp == 2**64 - 1


def test_a_storage_v3_pointer_is_moved_and_stays_compact_with_its_version() -> None:
    segment = segment_info(manifest(**V3), TARGET, MOVE)
    assert segment.manifest_path == '{"ver":2,"base_path":"files/insert_log/444/555/666"}'


def test_a_storage_v2_manifest_is_a_plain_key() -> None:
    path = "files/insert_log/111/222/333/_metadata/manifest-2.avro"
    segment = segment_info(manifest(manifest_path=path), TARGET, MOVE)
    assert segment.manifest_path == "files/insert_log/444/555/666/_metadata/manifest-2.avro"


def test_a_storage_v3_segment_needs_its_pointer() -> None:
    with pytest.raises(SnapshotCorrupt, match="segment 333"):
        segment_info(manifest(storage_version=3), TARGET, MOVE)
    with pytest.raises(UnsupportedFormat, match="segment 333"):
        segment_info(
            manifest(storage_version=3, manifest_path='{"ver":0,"base_path":"files/insert_log/1/2/3"}'),
            TARGET,
            MOVE,
        )


def test_an_l0_segment_may_have_deletes_only_and_all_partitions() -> None:
    target = TARGET.model_copy(update={"partition_id": -1})
    records = hidden_records(manifest(**L0, storage_version=3), target, KEYS, MOVE)
    assert set(records) == {KEYS.segment(444, -1, 666), KEYS.deltalog(444, -1, 666, 0)}
    assert read(records[KEYS.segment(444, -1, 666)]).level == data_pb2.L0


def test_an_unknown_level_is_corrupt() -> None:
    with pytest.raises(SnapshotCorrupt, match="segment_level is 9"):
        segment_info(manifest(segment_level=9), TARGET, MOVE)


def test_staging_writes_every_record_and_publishing_changes_only_the_segment() -> None:
    hidden = hidden_records(manifest(), TARGET, KEYS, MOVE)
    visible = published_records(manifest(), TARGET, KEYS, MOVE)
    key = KEYS.segment(444, 555, 666)
    assert set(hidden) == {
        key,
        *binlog_records(manifest(), TARGET, KEYS),
        *index_records(manifest(), TARGET, KEYS),
    }
    assert {name for name, value in hidden.items() if visible[name] != value} == {key}
    assert set(visible) == set(hidden)

    before, after = read(hidden[key]), read(visible[key])
    assert before.textStatsLogs[101].files == ["f_0"]
    assert before.jsonKeyStats[104].files == ["shredding_data/0"]
    assert (before.state, before.is_importing) == (common_pb2.Importing, True)
    assert (after.state, after.is_importing) == (common_pb2.Flushed, False)
    after.state, after.is_importing = before.state, before.is_importing
    assert after == before


def test_records_are_the_same_bytes_each_time() -> None:
    again = SegmentTarget.model_validate_json(TARGET.model_dump_json())
    first = hidden_records(manifest(**V3), TARGET, KEYS, MOVE)
    assert hidden_records(manifest(**V3), again, KEYS, MOVE) == first


def test_maps_are_written_in_key_order_however_they_were_filled() -> None:
    fields = [number * 7919 % 1009 + 2000 for number in range(50)]
    stats = {field: data_pb2.TextIndexStats(fieldID=field, files=[f"f_{field}"]) for field in fields}
    value = with_text_stats(segment_info(manifest(), TARGET, MOVE).SerializeToString(), stats)
    places = [value.index(f"f_{field}".encode()) for field in sorted(fields)]
    assert places in (sorted(places), sorted(places, reverse=True))


def test_what_a_newer_milvus_wrote_survives_every_change() -> None:
    value = with_unknown(hidden_records(manifest(), TARGET, KEYS, MOVE)[KEYS.segment(444, 555, 666)])
    changed = published(
        with_json_stats(
            with_text_stats(value, {109: data_pb2.TextIndexStats(fieldID=109)}),
            {110: data_pb2.JsonKeyStats(fieldID=110)},
        )
    )
    assert with_unknown(b"") in changed
    segment = read(changed)
    assert set(segment.textStatsLogs) == {101, 109}
    assert set(segment.jsonKeyStats) == {104, 110}
    assert segment.state == common_pb2.Flushed
    assert not segment.is_importing


def test_adding_stats_again_changes_nothing() -> None:
    value = hidden_records(manifest(), TARGET, KEYS, MOVE)[KEYS.segment(444, 555, 666)]
    assert with_text_stats(value, text_stats(manifest(), TARGET)) == value
    assert with_json_stats(value, json_stats(manifest(), TARGET)) == value


def test_bytes_that_are_no_segment_are_refused() -> None:
    with pytest.raises(UnsupportedFormat, match="SegmentInfo"):
        published(b"\xff\xff")
