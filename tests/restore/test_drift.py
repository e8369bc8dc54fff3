import pytest
from google.protobuf.message import Message

from formats.proto.common_pb2 import Dropped, Finished, Flushed
from formats.proto.data_pb2 import Binlog, FieldBinlog, SegmentInfo
from formats.proto.index_pb2 import SegmentIndex
from restore.drift import Drift, build_drift, is_released, logs_drift, segment_drift

POINTER = '{"ver":2,"base_path":"files/insert_log/1/2/3"}'
SEGMENT = SegmentInfo(ID=3, state=Flushed, num_of_rows=9, storage_version=3, manifest_path=POINTER)
LOGS = FieldBinlog(fieldID=100, binlogs=[Binlog(logID=1, log_size=5), Binlog(logID=2, log_size=6)])
BUILD = SegmentIndex(segmentID=3, buildID=7, state=Finished, index_file_keys=["HNSW"])


def changed(message: Message, **fields: object) -> bytes:
    other = type(message).FromString(message.SerializeToString())
    for name, value in fields.items():
        setattr(other, name, value)
    return other.SerializeToString(deterministic=True)


def test_what_is_as_it_was_published_has_not_drifted() -> None:
    assert segment_drift(changed(SEGMENT), changed(SEGMENT), "k") is None
    assert logs_drift(changed(LOGS), changed(LOGS), "k") is None
    assert build_drift(changed(BUILD), changed(BUILD), "k") is None


def test_damage_outweighs_what_else_changed_and_tells_found_and_published() -> None:
    found = segment_drift(changed(SEGMENT), changed(SEGMENT, num_of_rows=8, data_version=1), "k")
    assert found == Drift(True, "num_of_rows is 8, 9 was published")
    assert found.verdict == "damaged"


@pytest.mark.parametrize(
    ("pointer", "damaged"),
    [
        (POINTER.replace("2", "3", 1), False),
        (POINTER.replace("2", "1", 1), True),
        (POINTER.replace("1/2/3", "1/2/4"), True),
        ("{}", True),
        ("", True),
    ],
    ids=["later", "earlier", "elsewhere", "no pointer", "empty"],
)
def test_a_pointer_only_moves_on_in_its_folder(pointer: str, damaged: bool) -> None:
    found = segment_drift(changed(SEGMENT), changed(SEGMENT, manifest_path=pointer), "k")
    assert found is not None
    assert found.damaged == damaged


def test_a_field_of_a_newer_milvus_is_a_change_since() -> None:
    found = segment_drift(changed(SEGMENT), changed(SEGMENT) + b"\xf8\x3f\x01", "k")
    assert found == Drift(False, "a field of a newer Milvus changed")


def test_logs_may_only_be_added() -> None:
    more, fewer, other = (FieldBinlog() for _ in range(3))
    for each in (more, fewer, other):
        each.CopyFrom(LOGS)
    more.binlogs.append(Binlog(logID=3))
    fewer.binlogs.pop(0)
    other.binlogs[0].log_size = 50
    assert logs_drift(changed(LOGS), changed(more), "k") == Drift(False, "1 logs came")
    assert logs_drift(changed(LOGS), changed(fewer), "k") == Drift(True, "log 1 of field 100 is gone")
    assert logs_drift(changed(LOGS), changed(other), "k") == Drift(
        True, "log 1 of field 100 has other figures"
    )
    assert logs_drift(changed(LOGS), changed(LOGS, format="x"), "k") == Drift(False, "format changed")


def test_a_build_keeps_what_it_is_until_it_is_deleted() -> None:
    assert build_drift(changed(BUILD), changed(BUILD, segmentID=4), "k") == Drift(
        True, "segmentID is 4, 3 was published"
    )
    assert build_drift(changed(BUILD), changed(BUILD, nodeID=4), "k") == Drift(False, "nodeID changed")
    deleted = build_drift(changed(BUILD), changed(BUILD, segmentID=4, deleted=True), "k")
    assert deleted == Drift(False, "the build is marked deleted")


@pytest.mark.parametrize(
    ("fields", "released"), [({}, False), ({"state": Dropped}, True), ({"compacted": True}, True)]
)
def test_milvus_says_which_segments_it_has_released(fields: dict[str, object], released: bool) -> None:
    assert is_released(SegmentInfo.FromString(changed(SEGMENT, **fields))) == released
