"""The metadata file: golden text, both spellings, and files that cannot be meant."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.errors import RestoreError, SnapshotCorrupt, UnsupportedFormat
from formats.metadata import manifest_keys, manifest_pointers, read_metadata, write_metadata
from formats.proto.common_pb2 import Bounded
from formats.proto.data_pb2 import (
    SnapshotInfo,
    SnapshotLayoutReferenced,
    SnapshotLayoutSelfContained,
    SnapshotMetadata,
    SnapshotStateCommitted,
    SnapshotStatePending,
)
from formats.proto.schema_pb2 import JSON, FloatVector
from tests.formats.golden import FULL_HAMBA

KEY = "files/snapshots/100/metadata/4611.json"
GOLDEN = Path(__file__).with_name("golden_metadata.json").read_bytes()
SNAPSHOT_RECORD = bytes.fromhex(
    """
    0a076e696768746c7910832420642a04d10fd20f308180f8d6b0ebbcac063a2666696c65732f736e617073686f74732f
    3130302f6d657461646174612f343631312e6a736f6e400248fbd0eab6b7335a014d6204084d1000
    """
)


def golden() -> dict[str, Any]:
    value = json.loads(GOLDEN)
    assert isinstance(value, dict)
    return value


def read(value: object, key: str = KEY) -> SnapshotMetadata:
    return read_metadata(json.dumps(value).encode(), key=key)


def changed(*path: str | int, to: object) -> dict[str, Any]:
    """The golden document with one member replaced."""
    value = golden()
    at: Any = value
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return value


def test_golden_file_is_read_completely() -> None:
    found = read_metadata(GOLDEN, key=KEY)
    assert found.format_version == 4
    assert found.snapshot_info.id == 4611
    assert found.snapshot_info.state == SnapshotStatePending
    assert found.snapshot_info.channel_seek_positions[0].msgID == b"\x08\x10"
    assert found.collection.schema.fields[3].data_type == FloatVector
    assert found.collection.schema.fields[4].data_type == JSON
    assert found.collection.consistency_level == Bounded
    assert dict(found.collection.partitions) == {"_default": 2001, "p1": 2002}
    assert found.indexes[0].index_params[2].value == '{"M":16,"efConstruction":200}'
    assert manifest_keys(found) == {1001: "files/snapshots/100/manifests/4611/1001.avro"}
    assert manifest_pointers(found) == {1001: '{"ver":3,"base_path":"files/insert_log/100/2001/1001"}'}
    assert found.layout == SnapshotLayoutReferenced


def test_golden_file_is_written_as_milvus_writes_it() -> None:
    assert write_metadata(read_metadata(GOLDEN, key=KEY)) == GOLDEN


def test_snapshot_record_of_etcd_is_read_and_written() -> None:
    record = SnapshotInfo.FromString(SNAPSHOT_RECORD)
    assert len(SNAPSHOT_RECORD) == 88
    assert (record.name, record.id, record.collection_id) == ("nightly", 4611, 100)
    assert list(record.partition_ids) == [2001, 2002]
    assert record.create_ts == 457382934528000001
    assert record.s3_location == KEY
    assert record.state == SnapshotStateCommitted
    assert record.pending_start_time == 1767225600123
    assert dict(record.pin_expire_at_ms) == {77: 0}
    assert record.SerializeToString(deterministic=True) == SNAPSHOT_RECORD


def test_camel_case_numbers_and_enum_numbers_are_read_the_same() -> None:
    value = golden()
    info = value["snapshot_info"]
    other = {
        "formatVersion": "4",
        "snapshotInfo": info
        | {"state": 1, "id": 4611, "partition_ids": [2001, 2002]}
        | {"createTs": 457382934528000001},
        "collection": value["collection"] | {"consistency_level": 2, "num_shards": 1},
        "indexes": value["indexes"],
        "manifestList": value["manifest_list"],
        "storagev2ManifestList": [
            {"segmentId": 1001, "manifest": value["storagev2_manifest_list"][0]["manifest"]}
        ],
        "segmentIds": [1001],
        "buildIds": [301],
        "layout": 1,
    }
    del other["snapshotInfo"]["create_ts"]
    assert read(other) == read_metadata(GOLDEN, key=KEY)


def test_unknown_members_are_ignored_at_every_depth() -> None:
    value = golden()
    value["unknown_field"] = {"a": [1]}
    value["[ext.name]"] = 1
    value["snapshot_info"]["skip_index"] = True
    value["collection"]["schema"]["fields"][0]["later"] = "x"
    assert read(value) == read_metadata(GOLDEN, key=KEY)


def test_map_keys_are_written_in_order() -> None:
    metadata = read_metadata(GOLDEN, key=KEY)
    metadata.collection.partitions["a"] = 7
    metadata.snapshot_info.pin_expire_at_ms.update({10: 1, 9: 2})
    value = json.loads(write_metadata(metadata))
    assert list(value["collection"]["partitions"]) == ["_default", "a", "p1"]
    assert list(value["snapshot_info"]["pin_expire_at_ms"]) == ["9", "10"]


def test_unknown_layout_means_referenced() -> None:
    value = golden()
    del value["layout"]
    assert read(value).layout == SnapshotLayoutReferenced
    assert read(changed("layout", to="SnapshotLayoutUnknown")).layout == SnapshotLayoutReferenced
    assert read(changed("layout", to=2)).layout == SnapshotLayoutSelfContained


def test_a_bundle_elsewhere_must_have_the_ids_of_its_key() -> None:
    with pytest.raises(SnapshotCorrupt, match=r"snapshot_info\.collection_id: expected 101 .* found 100"):
        read(golden(), key="x/snapshots/101/metadata/4611.json")
    with pytest.raises(SnapshotCorrupt, match=r"snapshot_info\.id: expected 4612 .* found 4611"):
        read(golden(), key="snapshots/100/metadata/4612.json")
    assert read(golden(), key="copy.json").snapshot_info.id == 4611


@pytest.mark.parametrize("version", [5, 99, "99", -1])
def test_other_format_versions_are_refused_whatever_else_the_file_holds(version: object) -> None:
    value = {"format_version": version, "snapshot_info": "moved", "layout": "SnapshotLayoutNew"}
    with pytest.raises(
        UnsupportedFormat, match=rf"{KEY}: .* version {version} .* newest supported version is 4"
    ):
        read(value)


@pytest.mark.parametrize("version", [{}, {"format_version": 0}, {"formatVersion": None}])
def test_absent_version_is_the_oldest(version: dict[str, object]) -> None:
    value = golden()
    del value["format_version"]
    assert read(value | version).format_version == 0


@pytest.mark.parametrize(
    ("path", "name", "field"),
    [
        (
            ("collection", "schema", "fields", 3, "data_type"),
            "QuantumVector",
            r"schema.fields\[3\].data_type",
        ),
        (("snapshot_info", "state"), "SnapshotStateFrozen", "snapshot_info.state"),
        (("collection", "consistency_level"), "Wobbly", "collection.consistency_level"),
        (("layout",), "SnapshotLayoutNew", "layout"),
    ],
)
def test_unknown_enum_names_are_unsupported_not_zero(
    path: tuple[str | int, ...], name: str, field: str
) -> None:
    with pytest.raises(UnsupportedFormat, match=f"{KEY}: .*{name}.*{field}"):
        read(changed(*path, to=name))


def test_unknown_layout_number_is_unsupported() -> None:
    with pytest.raises(UnsupportedFormat, match=r"layout: expected one of .* found 7"):
        read(changed("layout", to=7))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "Expecting value: line 1 column 1"),
        (b"not json", "line 1 column 1"),
        (b'{"a":1,\n}', "line 2 column 1"),
        (b'{"name":"\xff"}', "not UTF-8 at byte 9"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"[1]", "expected an object, found a list"),
        (b"null", "expected an object, found null"),
        (b'{"a":NaN}', "NaN is no JSON value"),
        (b'{"layout":1,"layout":2}', "the member 'layout' occurs twice"),
        (b"[" * 100_000, "recursion"),
        (b'{"a":' + b"9" * 5000 + b"}", "integer string conversion"),
        (GOLDEN[:700], "line"),
        (FULL_HAMBA, "not UTF-8"),
    ],
)
def test_a_file_that_is_no_json_object_is_corrupt(raw: bytes, message: str) -> None:
    with pytest.raises(SnapshotCorrupt, match=f"{KEY}: failed to parse metadata JSON: .*{message}"):
        read_metadata(raw, key=KEY)


@pytest.mark.parametrize("part", ["snapshot_info", "collection"])
@pytest.mark.parametrize("absent", [True, False])
def test_a_missing_part_is_corrupt(part: str, absent: bool) -> None:
    value = changed(part, to=None)
    if absent:
        del value[part]
    with pytest.raises(SnapshotCorrupt, match=f"{KEY}: {part} is missing"):
        read(value)


@pytest.mark.parametrize(
    ("path", "wrong", "field"),
    [
        (("format_version",), "four", "format_version"),
        (("format_version",), [4], "format_version"),
        (("format_version",), 2**40, "format_version"),
        (("snapshot_info",), "text", "snapshot_info"),
        (("snapshot_info",), ["zzz"], "snapshot_info"),
        (("snapshot_info",), 3, "snapshot_info"),
        (("snapshot_info", "id"), "46x", "id"),
        (("snapshot_info", "id"), 1.5, "id"),
        (("snapshot_info", "id"), 2**63, "id"),
        (("snapshot_info", "id"), 1e400, "id|JSON"),
        (("snapshot_info", "name"), 5, "name"),
        (("snapshot_info", "name"), "\ud800", "name"),
        (("snapshot_info", "channel_seek_positions", 0), None, r"channel_seek_positions\[0\]"),
        (("collection", "partitions"), [1], "partitions"),
        (("collection", "partitions", "p1"), "x", "partitions"),
        (("collection", "schema", "fields"), {"0": {}}, "collection.schema.fields"),
        (("collection", "schema", "fields", 1), 7, r"fields\[1\]"),
        (("collection", "schema", "fields", 2, "is_primary_key"), "yes", "is_primary_key"),
        (("manifest_list",), "one", "manifest_list"),
        (("segment_ids", 0), None, "segment_ids"),
    ],
)
def test_a_wrong_type_is_corrupt_and_names_the_field(
    path: tuple[str | int, ...], wrong: object, field: str
) -> None:
    with pytest.raises(SnapshotCorrupt, match=f"{KEY}: .*({field})"):
        read(changed(*path, to=wrong))


def test_a_field_in_two_spellings_is_corrupt() -> None:
    value = golden()
    value["segmentIds"] = ["1002"]
    with pytest.raises(SnapshotCorrupt, match="segment_ids: given in two spellings"):
        read(value)


FIRST = "files/snapshots/100/manifests/4611/1001.avro"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"manifest_list": [FIRST, FIRST]}, f"manifest_list names {FIRST} twice"),
        ({"manifest_list": [FIRST, "other/1001.avro"]}, "manifest_list names segment 1001 twice"),
        ({"manifest_list": ["files/x.avro"]}, r"files/x\.avro: .* file name must be its segment id"),
        ({"segment_ids": ["1001", "1001"]}, "segment_ids names 1001 twice"),
        ({"segment_ids": ["1002"]}, "differ: only in segment_ids 1002, only in manifest_list 1001"),
        ({"manifest_list": []}, "only in segment_ids 1001, only in manifest_list none"),
        ({"storagev2_manifest_list": [{"segment_id": 1001, "manifest": " "}]}, "1001 has a blank manifest"),
        (
            {"storagev2_manifest_list": [{"segment_id": 1002, "manifest": "x"}]},
            "1002, which manifest_list lacks",
        ),
        ({"storagev2_manifest_list": [{"segment_id": 1001, "manifest": "x"}] * 2}, "_list names 1001 twice"),
        ({"storagev2_manifest_list": [None]}, r"storagev2_manifest_list\[0\].*found null"),
    ],
)
def test_lists_that_contradict_each_other_are_corrupt(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SnapshotCorrupt, match=message):
        read(golden() | changes)


def test_older_files_may_leave_segment_ids_out() -> None:
    value = golden()
    del value["segment_ids"]
    assert list(manifest_keys(read(value))) == [1001]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("partitions", {"a": 7, "b": 7}, r"collection\.partitions names 7 twice"),
        ("virtual_channel_names", ["c", "c"], r"collection\.virtual_channel_names names c twice"),
        ("num_shards", 2, r"collection\.num_shards: expected 1 .* found 2"),
    ],
)
def test_a_collection_that_contradicts_itself_is_corrupt(name: str, value: object, message: str) -> None:
    with pytest.raises(SnapshotCorrupt, match=message):
        read(changed("collection", name, to=value))


def test_messages_stay_short_whatever_the_file_holds() -> None:
    with pytest.raises(SnapshotCorrupt) as caught:
        read(changed("collection", "partitions", to=["x" * 10_000]))
    assert len(str(caught.value)) < 500


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every member of a document."""
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for step, inner in steps for place in ((*path, step), *places(inner, (*path, step)))]


@given(st.sampled_from(places(golden())), VALUES)
def test_any_other_value_anywhere_is_read_or_named(place: tuple[str | int, ...], value: object) -> None:
    document = changed(*place, to=copy.deepcopy(value))
    try:
        found = read(document)
    except RestoreError as error:
        assert isinstance(error, SnapshotCorrupt | UnsupportedFormat)  # noqa: PT017 -- either may be right
        return
    assert read_metadata(write_metadata(found), key=KEY) == found


@given(st.integers(0, len(GOLDEN) - 3))
def test_truncated_files_are_corrupt(length: int) -> None:
    with pytest.raises(SnapshotCorrupt):
        read_metadata(GOLDEN[:length], key=KEY)


@given(st.lists(st.tuples(st.integers(0, len(GOLDEN) - 1), st.integers(0, 255)), min_size=1, max_size=3))
def test_byte_flips_are_read_or_named(flips: list[tuple[int, int]]) -> None:
    raw = bytearray(GOLDEN)
    for place, byte in flips:
        raw[place] = byte
    try:
        found = read_metadata(bytes(raw), key=KEY)
    except (SnapshotCorrupt, UnsupportedFormat):
        return
    assert found.snapshot_info.id == 4611
