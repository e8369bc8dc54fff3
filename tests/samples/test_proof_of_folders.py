"""The proof of a restore of packed and manifest-based segments, and that it can fail."""

import copy

import pytest

from formats.proto.data_pb2 import FieldBinlog, SegmentInfo
from samples.shape import SampleShape
from tests.samples.restored_twin import RestoredTwin, restored_twin

SHAPE = SampleShape(
    segments=4,
    megabytes=0.8,
    dim=16,
    partitions=2,
    l0_segments=2,
    storage_versions=(3, 3, 2, 3),
    oddities={1: "successor's deletes", 3: "no rows"},
    full_text=True,
    large_text=True,
)
FOLDERS = ("_data/", "_stats/bloom_filter.100/", "_stats/bm25.109/", "_delta/", "_index/", "_metadata/")


@pytest.fixture(scope="module")
def good() -> RestoredTwin:
    return restored_twin(SHAPE)


@pytest.fixture
def twin(good: RestoredTwin) -> RestoredTwin:
    return copy.deepcopy(good)


def broken(twin: RestoredTwin) -> set[str]:
    return {what for what, _, _, ok in twin.prove().rows if not ok}


def target_object(twin: RestoredTwin, part: str) -> str:
    return min(twin.moved(key) for keys in twin.written.keys.values() for key in keys if part in key)


def test_a_faithful_restore_is_proved(twin: RestoredTwin) -> None:
    proof = twin.prove()
    assert proof.differences == []
    assert proof.ok
    counted = {what: (expected, found) for what, expected, found, _ in proof.rows}
    assert counted["segments"] == (6, 6)
    assert counted["objects in place"] == (twin.written.objects, twin.written.objects)


@pytest.mark.parametrize("part", [*FOLDERS, "/lobs/", "/_manifest/", "bm25_stats/", "/insert_log/"])
def test_a_missing_or_changed_object_is_named(twin: RestoredTwin, part: str) -> None:
    key = target_object(twin, part)
    body = twin.bucket.objects[key]
    twin.bucket.objects[key] = body + b" "
    assert broken(twin) == {"objects identical"}
    assert f"{key} differs" in twin.prove().differences[0]
    del twin.bucket.objects[key]
    assert broken(twin) == {"objects in place", "objects identical"}


@pytest.mark.parametrize("part", [*FOLDERS, "/lobs/", "/_manifest/"])
def test_an_object_too_many_is_named(twin: RestoredTwin, part: str) -> None:
    key = f"{target_object(twin, part)}0"
    twin.bucket.objects[key] = b"left over"
    assert broken(twin) == {"objects beyond"}


@pytest.mark.parametrize("number", [0, 2], ids=["StorageV3", "StorageV2"])
@pytest.mark.parametrize(
    "value", ["", '{"ver":9,"base_path":"files/insert_log/1/2/3"}', "files/insert_log/1"]
)
def test_a_wrong_pointer_is_named(twin: RestoredTwin, number: int, value: str) -> None:
    key = twin.key("datacoord-meta/s", number)
    if SegmentInfo.FromString(twin.records[key]).manifest_path == value:
        value = "files/elsewhere"
    twin.edit(key, SegmentInfo, lambda segment: setattr(segment, "manifest_path", value))
    assert broken(twin) == {"segment records"}
    assert f"{key}: manifest_path is {value}" in twin.prove().differences[0]


@pytest.mark.parametrize(("field", "value"), [("format", ""), ("child_fields", [1])])
def test_a_wrong_column_group_is_named(twin: RestoredTwin, field: str, value: object) -> None:
    def change(record: FieldBinlog) -> None:
        record.ClearField("format" if field == "format" else "child_fields")

    key = twin.key("datacoord-meta/binlog", 2)
    twin.edit(key, FieldBinlog, change)
    assert broken(twin) == {"log records"}
    assert f"{field}" in twin.prove().differences[0]


def test_a_missing_record_of_bm25_statistics_is_named(twin: RestoredTwin) -> None:
    key = twin.key("datacoord-meta/bm25log", 2)
    del twin.records[key]
    assert f"log records: {key}: is missing" in twin.prove().differences
