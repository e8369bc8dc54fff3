"""Segments against the metadata that announces them, and against themselves."""

from typing import Any

import pytest

from formats.census import SegmentCensus
from formats.contradictions import require_consistent
from formats.errors import InvalidRequest, SnapshotCorrupt, UnsupportedFormat
from formats.location import SnapshotLocation
from formats.pointer import ManifestPointer, read_pointer
from formats.proto.data_pb2 import SnapshotMetadata
from formats.roots import SnapshotRoots
from formats.segment import Binlog, FieldBinlog, SegmentManifest
from tests.formats.golden import full, minimal

FOLDER = "snapshots/100/manifests/4611"
POINTER = '{"ver":3,"base_path":"insert_log/100/2/1"}'


def metadata_of(*segments: int, pointers: dict[int, str] | None = None) -> SnapshotMetadata:
    metadata = SnapshotMetadata(
        manifest_list=[f"{FOLDER}/{each}.avro" for each in segments], segment_ids=list(segments)
    )
    metadata.collection.partitions.update({"_default": 2, "p1": 2001})
    metadata.collection.virtual_channel_names.extend(["c", "by-dev-rootcoord-dml_0"])
    for segment_id, manifest in (pointers or {}).items():
        metadata.storagev2_manifest_list.add(segment_id=segment_id, manifest=manifest)
    return metadata


def census_of(metadata: SnapshotMetadata) -> SegmentCensus:
    location = SnapshotLocation.parse("snapshots/100/metadata/4611.json")
    return SegmentCensus(metadata, SnapshotRoots.of(location, metadata))


def v1(**changes: object) -> SegmentManifest:
    """A segment of storage version 0 without files."""
    return SegmentManifest.model_validate(minimal().model_dump() | {"storage_version": 0} | changes)


def test_segments_come_back_with_their_manifest_paths() -> None:
    census = census_of(metadata_of(1, 1001, pointers={1: POINTER, 1001: "insert_log/m"}))
    assert census.admit(minimal()).manifest_path == POINTER
    assert census.admit(full()) == full().model_copy(update={"manifest_path": "insert_log/m"})
    census.close()


def test_a_snapshot_without_segments_is_complete() -> None:
    census_of(metadata_of()).close()


def test_a_missing_segment_is_named() -> None:
    census = census_of(metadata_of(1, 5, 9))
    census.admit(v1())
    with pytest.raises(
        SnapshotCorrupt, match=f"{FOLDER}/5.avro: segment 5 was not read; expected 3 .* found 1"
    ):
        census.close()


def test_a_segment_is_admitted_once_and_only_when_announced() -> None:
    census = census_of(metadata_of(1))
    census.admit(v1())
    with pytest.raises(SnapshotCorrupt, match="1 was read twice"):
        census.admit(v1())
    with pytest.raises(SnapshotCorrupt, match="segment 7 is not one of the snapshot's 1 segments"):
        census.admit(v1(segment_id=7))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"partition_id": 77}, r"partition_id: expected one of the collection's \[2, 2001\], found 77"),
        ({"partition_id": -1}, "partition_id: .* found -1"),
        ({"channel_name": "d"}, "channel_name: expected one of .* found 'd'"),
    ],
)
def test_a_segment_of_another_collection_is_corrupt(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SnapshotCorrupt, match=f"{FOLDER}/1.avro: {message}"):
        census_of(metadata_of(1)).admit(v1(**changes))


@pytest.mark.parametrize("partition", [-1, 0, 77])
def test_a_delete_segment_may_belong_to_all_partitions(partition: int) -> None:
    """-1 says so; what is no partition of the collection means the same (segment-restore.md, 1.5)."""
    deletes = v1(partition_id=partition, segment_level=1, num_of_rows=0)
    assert census_of(metadata_of(1)).admit(deletes) == deletes


@pytest.mark.parametrize(
    ("version", "pointer", "error", "message"),
    [
        (3, None, SnapshotCorrupt, "expected an entry in storagev2_manifest_list, found none"),
        (3, "insert_log/m", SnapshotCorrupt, "must be JSON with ver and base_path: .* found 'insert_log/m'"),
        (3, '{"ver":3}', SnapshotCorrupt, "Field required"),
        (3, '{"ver":3,"base_path":""}', SnapshotCorrupt, "at least 1 character"),
        (3, '{"ver":"3","base_path":"x"}', SnapshotCorrupt, "valid integer"),
        (3, '{"ver":-1,"base_path":"x"}', SnapshotCorrupt, "greater than or equal to 0"),
        (3, '{"ver":3,"base_path":"x","more":1}', SnapshotCorrupt, "Extra inputs"),
        (3, '{"ver":0,"base_path":"x"}', UnsupportedFormat, "segment 1: .* ver 0"),
        (0, "insert_log/m", SnapshotCorrupt, "storage_version 0 has no own manifest"),
        (2, "../m", InvalidRequest, "path outside its root"),
    ],
)
def test_a_pointer_must_fit_the_storage_version(
    version: int, pointer: str | None, error: type[Exception], message: str
) -> None:
    metadata = metadata_of(1, pointers={1: pointer} if pointer else None)
    with pytest.raises(error, match=message):
        census_of(metadata).admit(v1(storage_version=version))


def test_a_closing_slash_of_a_pointers_folder_makes_no_difference() -> None:
    pointer = read_pointer('{"ver":3,"base_path":"files/insert_log/1/2/3/"}', 3)
    assert pointer.manifest_key == "files/insert_log/1/2/3/_metadata/manifest-3.avro"
    assert pointer.text() == '{"ver":3,"base_path":"files/insert_log/1/2/3"}'


def test_a_pointer_is_written_as_milvus_writes_it() -> None:
    pointer = read_pointer('{ "base_path": "a/b", "ver": 3 }', 1)
    assert pointer == ManifestPointer(ver=3, base_path="a/b")
    assert pointer.text() == '{"ver":3,"base_path":"a/b"}'
    assert pointer.manifest_key == "a/b/_metadata/manifest-3.avro"


def changed(*path: str | int, to: object) -> SegmentManifest:
    """The full golden segment with one member replaced."""
    entry = full().model_dump()
    at: Any = entry
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = to
    return SegmentManifest.model_validate(entry)


LOG = ("binlogs", 0)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("num_of_rows",), -1, "num_of_rows: expected 0 or more, found -1"),
        (
            ("binlog_files", 0, *LOG, "entries_num"),
            -2,
            "binlog_files of field 101: entries_num of 'insert-log'",
        ),
        (("deltalog_files", 0, *LOG, "log_size"), -2, "deltalog_files of field 102: log_size of 'delta-log'"),
        (("statslog_files", 0, *LOG, "memory_size"), -2, "statslog_files of field 103: memory_size"),
        (("bm25_statslog_files", 0, *LOG, "log_id"), 0, "log_id of 'bm25-log': expected an id, found 0"),
        (("binlog_files", 0, *LOG, "log_path"), "a/17", "log_id: expected 17 as in path 'a/17', found 1"),
        (("index_files", 0, "segment_id"), 9, "index_files of build 301: segment_id: expected 1001, found 9"),
        (("index_files", 0, "num_rows"), -9, "index_files of build 301: num_rows: expected 0 or more"),
        (
            ("index_files", 0, "current_index_version"),
            2**31,
            "current_index_version: expected a 32-bit number",
        ),
        (("text_index_files", 0, "log_size"), -1, "text_index_files of field 101: log_size"),
        (("json_key_index_files", 0, "memory_size"), -1, "json_key_index_files of field 102: memory_size"),
        (
            ("statslog_files", 0, *LOG, "log_path"),
            "insert-log",
            "path of two kinds: insert-log occurs twice",
        ),
        (("json_key_index_files", 0, "files"), ["indexes/301/1"], "path of two kinds: indexes/301/1 occurs"),
    ],
)
def test_a_segment_that_contradicts_itself_is_corrupt(
    path: tuple[str | int, ...], value: object, message: str
) -> None:
    with pytest.raises(SnapshotCorrupt, match=f"a.avro: .*{message}"):
        require_consistent(changed(*path, to=value), "a.avro")


@pytest.mark.parametrize("name", ["binlog_files", "statslog_files", "bm25_statslog_files"])
def test_a_segment_of_deletes_alone_has_no_other_logs(name: str) -> None:
    """Milvus refuses to load one that has (segment-restore.md, 3.1)."""
    deletes = full().model_copy(update={"segment_level": 1, "binlog_files": (), "statslog_files": ()})
    deletes = deletes.model_copy(update={"bm25_statslog_files": (), "index_files": ()})
    require_consistent(deletes, "a.avro")
    with pytest.raises(SnapshotCorrupt, match=f"segment_level is 1 .*, but {name} names logs"):
        require_consistent(deletes.model_copy(update={name: getattr(full(), name)}), "a.avro")


def test_a_path_repeated_within_its_kind_collapses() -> None:
    require_consistent(changed("text_index_files", 0, "files", to=["a", "a"]), "a.avro")


def test_repeated_builds_and_fields_are_corrupt() -> None:
    index, text = full().index_files[0], full().text_index_files[0]
    other_index = index.model_copy(update={"index_file_paths": ()})
    other_text = text.model_copy(update={"files": ()})
    with pytest.raises(SnapshotCorrupt, match="build_id of index_files: 301 occurs twice"):
        require_consistent(full().model_copy(update={"index_files": (index, other_index)}), "a")
    with pytest.raises(SnapshotCorrupt, match="field_id of text_index_files: 101 occurs twice"):
        require_consistent(full().model_copy(update={"text_index_files": (text, other_text)}), "a")


def test_an_unknown_index_layout_is_unsupported() -> None:
    with pytest.raises(UnsupportedFormat, match="index_store_path_version: expected 0 or 1, found 2"):
        require_consistent(changed("index_files", 0, "index_store_path_version", to=2), "a")


def test_golden_segments_are_consistent() -> None:
    require_consistent(full(), "a")
    require_consistent(minimal(), "a")


def logs(*rows: int, field_id: int = 100) -> FieldBinlog:
    """One field's insert logs with so many rows each."""
    return FieldBinlog(
        field_id=field_id,
        binlogs=tuple(
            Binlog(
                entries_num=count,
                timestamp_from=1,
                timestamp_to=2,
                log_path=f"insert_log/1/2/3/{field_id}/{number}",
                log_size=5,
                log_id=number,
                memory_size=5,
            )
            for number, count in enumerate(rows, start=1)
        ),
    )


def test_rows_that_the_insert_logs_do_not_hold_are_corrupt() -> None:
    segment = v1(num_of_rows=30, binlog_files=(logs(10, 10), logs(10, 11, field_id=101)))
    with pytest.raises(SnapshotCorrupt, match=r"num_of_rows is 30, but .* field 101 hold 21 rows"):
        require_consistent(segment, "a")


@pytest.mark.parametrize(
    ("version", "rows"), [(0, (10, 0)), (0, (10, 20)), (0, ()), (2, (10, 10)), (3, (1,))]
)
def test_logs_that_do_not_tell_their_rows_are_no_contradiction(version: int, rows: tuple[int, ...]) -> None:
    require_consistent(v1(num_of_rows=30, storage_version=version, binlog_files=(logs(*rows),)), "a")


def test_rows_of_a_log_that_is_named_twice_count_once() -> None:
    field = logs(10, 20)
    twice = field.model_copy(update={"binlogs": (*field.binlogs, field.binlogs[0])})
    require_consistent(v1(num_of_rows=30, binlog_files=(twice,)), "a")
    with pytest.raises(SnapshotCorrupt, match="hold 30 rows"):
        require_consistent(v1(num_of_rows=40, binlog_files=(twice,)), "a")


def test_a_storage_v3_file_needs_no_log_id() -> None:
    log = logs(1).binlogs[0].model_copy(update={"log_path": "insert_log/1/2/3/_delta/a.parquet", "log_id": 0})
    group = (FieldBinlog(field_id=0, binlogs=(log,)),)
    require_consistent(v1(storage_version=3, deltalog_files=group), "a")
    with pytest.raises(SnapshotCorrupt, match="expected an id, found 0"):
        require_consistent(v1(storage_version=2, deltalog_files=group), "a")


def test_a_log_without_path_is_an_entry_without_object() -> None:
    log = logs(1).binlogs[0].model_copy(update={"log_path": "", "log_id": 0})
    require_consistent(
        v1(storage_version=2, binlog_files=(FieldBinlog(field_id=0, binlogs=(log, log)),)), "a"
    )
