import pytest

from formats.errors import SnapshotCorrupt
from formats.log_records import binlog_records
from formats.proto import data_pb2
from formats.segment import FieldBinlog, SegmentManifest
from tests.formats.segment_samples import KEYS, TARGET, log, logs, manifest


def test_logs_are_one_record_per_kind_and_field() -> None:
    assert set(binlog_records(manifest(), TARGET, KEYS)) == {
        KEYS.binlog(444, 555, 666, 0),
        KEYS.binlog(444, 555, 666, 102),
        KEYS.statslog(444, 555, 666, 100),
        KEYS.deltalog(444, 555, 666, 0),
        KEYS.bm25log(444, 555, 666, 103),
    }


def test_a_log_keeps_all_but_its_path_which_becomes_its_id() -> None:
    value = binlog_records(manifest(), TARGET, KEYS)[KEYS.binlog(444, 555, 666, 0)]
    assert data_pb2.FieldBinlog.FromString(value) == data_pb2.FieldBinlog(
        fieldID=0,
        child_fields=[0, 1, 100],
        format="parquet",
        binlogs=[
            data_pb2.Binlog(
                entries_num=1000,
                timestamp_from=2**63 + 1,
                timestamp_to=2**63 + 2,
                log_size=4096,
                memory_size=8192,
                logID=41,
            )
        ],
    )


def field(manifest: SegmentManifest, key: str) -> data_pb2.FieldBinlog:
    return data_pb2.FieldBinlog.FromString(binlog_records(manifest, TARGET, KEYS)[key])


def test_the_compound_stats_log_keeps_its_fixed_id() -> None:
    assert [each.logID for each in field(manifest(), KEYS.statslog(444, 555, 666, 100)).binlogs] == [43, 1]


def test_a_field_that_is_listed_twice_loses_nothing() -> None:
    twice = (
        logs(0, "files/delta_log/111/222/333/44", child_fields=(1,)),
        logs(7, "files/delta_log/111/222/333/45"),
        logs(0, "files/delta_log/111/222/334/46", child_fields=(1, 2), format="parquet"),
    )
    merged = field(manifest(deltalog_files=twice), KEYS.deltalog(444, 555, 666, 0))
    assert [each.logID for each in merged.binlogs] == [44, 46]
    assert list(merged.child_fields) == [1, 2]
    assert merged.format == "parquet"
    assert [
        each.logID for each in field(manifest(deltalog_files=twice), KEYS.deltalog(444, 555, 666, 7)).binlogs
    ] == [45]


def test_the_same_log_listed_twice_is_one() -> None:
    twice = (logs(0, "files/delta_log/111/222/333/44"),) * 2
    assert len(field(manifest(deltalog_files=twice), KEYS.deltalog(444, 555, 666, 0)).binlogs) == 1


def test_two_logs_of_one_id_would_overwrite_each_other_and_are_corrupt() -> None:
    clash = (logs(0, "files/delta_log/111/222/333/44", "files/delta_log/111/222/334/44"),)
    with pytest.raises(SnapshotCorrupt, match="log id 44"):
        binlog_records(manifest(deltalog_files=clash), TARGET, KEYS)


def test_two_formats_of_one_column_group_are_corrupt() -> None:
    clash = tuple(
        logs(0, f"files/insert_log/111/222/333/0/{number}", format=name)
        for number, name in ((1, "parquet"), (2, "lance"))
    )
    with pytest.raises(SnapshotCorrupt, match="lance and parquet"):
        binlog_records(manifest(binlog_files=clash), TARGET, KEYS)


@pytest.mark.parametrize("name", ["0", "abc", "-4", "", "٤", "1.5", "9223372036854775808", "1" * 5000])
def test_a_log_without_a_positive_id_is_corrupt(name: str) -> None:
    path = f"files/delta_log/111/222/333/{name}"
    with pytest.raises(SnapshotCorrupt, match="segment 333"):
        binlog_records(manifest(deltalog_files=(logs(0, path),)), TARGET, KEYS)


def test_a_log_without_a_path_keeps_its_id_and_needs_one() -> None:
    named = FieldBinlog(field_id=0, binlogs=(log("", log_id=9),))
    assert field(manifest(binlog_files=(named,)), KEYS.binlog(444, 555, 666, 0)).binlogs[0].logID == 9
    with pytest.raises(SnapshotCorrupt, match="no log id"):
        binlog_records(manifest(binlog_files=(logs(0, ""),)), TARGET, KEYS)
