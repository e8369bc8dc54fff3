import copy

import pytest
from rich.console import Console

from formats.proto.common_pb2 import Importing, Sealed
from formats.proto.data_pb2 import (
    CopySegmentIDMapping,
    CopySegmentJob,
    CopySegmentJobExecuting,
    CopySegmentTask,
    FieldBinlog,
    SegmentInfo,
)
from formats.proto.index_pb2 import SegmentIndex
from tests.samples.restored_twin import JOB, META, SHAPE, RestoredTwin, restored_twin, source_twin


@pytest.fixture(scope="module")
def good() -> RestoredTwin:
    return restored_twin()


@pytest.fixture
def twin(good: RestoredTwin) -> RestoredTwin:
    return copy.deepcopy(good)


def broken(twin: RestoredTwin) -> set[str]:
    """The lines of the proof that do not hold; each has a difference that says why."""
    proof = twin.prove()
    return {what for what, _, _, ok in proof.rows if not ok}


def test_a_faithful_restore_is_proved(twin: RestoredTwin) -> None:
    proof = twin.prove()
    assert proof.differences == []
    assert proof.ok
    assert {what: (expected, found) for what, expected, found, _ in proof.rows}["segments"] == (5, 5)


def test_every_line_counts_something(twin: RestoredTwin) -> None:
    counted = {what: expected for what, expected, _, _ in twin.prove().rows}
    beyond = {what for what, expected in counted.items() if expected == 0}
    assert beyond == {"objects beyond", "records beyond"}
    assert counted["objects in place"] == counted["objects identical"] == twin.written.objects
    assert counted["source objects unchanged"] == twin.written.objects + len(twin.written.manifests) + 1


def test_nothing_is_proved_before_the_restore() -> None:
    proof = source_twin().prove()
    assert not proof.ok
    assert "source segment" in proof.differences[0]
    rows = {what: (expected, found) for what, expected, found, _ in proof.rows}
    assert rows["segments"] == (5, 0)
    assert rows["objects in place"][1] == 0
    assert rows["completed job"] == (1, 0)


def test_logs_that_kept_their_descriptors_are_not_proved_to_be_rewritten(twin: RestoredTwin) -> None:
    proof = twin.prove(rewritten=True)
    logs = [
        key
        for keys in twin.written.keys.values()
        for key in keys
        if "insert_log/" in key or "delta_log/" in key
    ]
    assert {what for what, _, _, ok in proof.rows if not ok} == {"objects identical"}
    assert len(proof.differences) == len(logs) > 0


# Damage to objects.


def paths_of_every_kind() -> list[str]:
    return [
        "insert_log/",
        "stats_log/",
        "delta_log/",
        "index_files/",
        "index_v1/",
        "text_log/",
        "json_stats/",
        "json_key_index_log/",
    ]


def target_object(twin: RestoredTwin, folder: str) -> str:
    sources = [key for key in twin.written.digests if key.startswith(f"files/{folder}")]
    return twin.moved(sorted(sources)[0])


@pytest.mark.parametrize("folder", paths_of_every_kind())
def test_a_flipped_byte_is_named(twin: RestoredTwin, folder: str) -> None:
    key = target_object(twin, folder)
    body = bytearray(twin.bucket.objects[key])
    body[len(body) // 2] ^= 1
    twin.bucket.objects[key] = bytes(body)
    assert broken(twin) == {"objects identical"}
    assert f"{key} differs" in twin.prove().differences[0]


@pytest.mark.parametrize("folder", paths_of_every_kind())
def test_a_missing_object_is_named(twin: RestoredTwin, folder: str) -> None:
    key = target_object(twin, folder)
    del twin.bucket.objects[key]
    assert broken(twin) == {"objects in place", "objects identical"}
    assert f"objects in place: {key} is missing" in twin.prove().differences


@pytest.mark.parametrize("folder", paths_of_every_kind())
def test_an_object_too_many_is_named(twin: RestoredTwin, folder: str) -> None:
    key = f"{target_object(twin, folder)}0"
    twin.bucket.objects[key] = b"left over"
    assert broken(twin) == {"objects beyond"}
    assert f"objects beyond: {key} is not of the snapshot" in twin.prove().differences


def test_an_object_of_a_segment_that_is_none_is_named(twin: RestoredTwin) -> None:
    key = f"files/bm25_stats/{twin.target}/1/2/102/7"
    twin.bucket.objects[key] = b"left over"
    assert broken(twin) == {"segments", "objects beyond"}
    assert "segments: segment 2 has no log of the source" in twin.prove().differences


def test_two_exchanged_objects_are_named(twin: RestoredTwin) -> None:
    objects = twin.bucket.objects
    one, other = (twin.moved(log.log_path) for log in twin.written.manifests[1].statslog_files[0].binlogs[:2])
    objects[one], objects[other] = objects[other], objects[one]
    assert broken(twin) == {"objects identical"}
    assert len(twin.prove().differences) == 2


def test_a_changed_source_object_is_named(twin: RestoredTwin) -> None:
    twin.bucket.objects[twin.written.key] += b" "
    assert broken(twin) == {"source objects unchanged"}
    assert (
        f"source objects unchanged: source object {twin.written.key} was changed" in twin.prove().differences
    )


def test_a_lost_source_object_is_named(twin: RestoredTwin) -> None:
    key = twin.written.manifests[0].binlog_files[0].binlogs[0].log_path
    del twin.bucket.objects[key]
    assert f"source objects unchanged: source object {key} is gone" in twin.prove().differences


# Damage to a segment's record.


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_of_rows", 1),
        ("level", 3),
        ("is_sorted", False),
        ("commit_timestamp", 5),
        ("last_expire_time", 0),
        ("max_row_num", 7),
        ("storage_version", 2),
        ("is_importing", True),
        ("is_invisible", True),
        ("dropped_at", 9),
        ("manifest_path", "files/x"),
    ],
)
def test_a_wrong_field_of_a_segment_is_named(twin: RestoredTwin, field: str, value: object) -> None:
    key = twin.key("datacoord-meta/s")
    twin.edit(key, SegmentInfo, lambda segment: setattr(segment, field, value))
    assert broken(twin) == {"segment records"}
    assert f"segment records: {key}: {field} is" in twin.prove().differences[0]


def test_a_field_that_a_restore_never_sets_is_named(twin: RestoredTwin) -> None:
    twin.edit(twin.key("datacoord-meta/s"), SegmentInfo, lambda segment: segment.compactionFrom.append(3))
    assert broken(twin) == {"segment records"}
    assert "compactionFrom is [3], expected []" in twin.prove().differences[0]


@pytest.mark.parametrize("state", [Importing, Sealed])
def test_an_unpublished_segment_is_named(twin: RestoredTwin, state: int) -> None:
    twin.edit(twin.key("datacoord-meta/s"), SegmentInfo, lambda each: setattr(each, "state", state))
    assert broken(twin) == {"segment records"}
    assert ", expected Flushed" in twin.prove().differences[0]


def test_a_swapped_channel_is_named(twin: RestoredTwin) -> None:
    def swap(segment: SegmentInfo) -> None:
        name = segment.insert_channel
        other = name.replace("_9_", "_10_") if "_9_" in name else name.replace("_10_", "_9_")
        segment.insert_channel = f"{other[:-1]}{1 - int(other[-1])}"

    twin.edit(twin.key("datacoord-meta/s"), SegmentInfo, swap)
    assert broken(twin) == {"segment records"}
    assert "insert_channel is by-dev-rootcoord-dml_" in twin.prove().differences[0]


@pytest.mark.parametrize("field", ["channel_name", "msgID", "msgGroup", "timestamp"])
def test_a_position_that_is_not_the_targets_is_named(twin: RestoredTwin, field: str) -> None:
    values = {"channel_name": "elsewhere", "msgID": b"source", "msgGroup": "source", "timestamp": 5}
    twin.edit(
        twin.key("datacoord-meta/s"),
        SegmentInfo,
        lambda segment: setattr(segment.start_position, field, values[field]),
    )
    assert f"start_position.{field} is" in twin.prove().differences[0]


def test_a_segment_without_position_is_named(twin: RestoredTwin) -> None:
    twin.edit(twin.key("datacoord-meta/s"), SegmentInfo, lambda each: each.ClearField("dml_position"))
    assert broken(twin) == {"segment records"}


def test_text_and_json_files_that_were_not_shortened_are_named(twin: RestoredTwin) -> None:
    def lengthen(segment: SegmentInfo) -> None:
        for text in segment.textStatsLogs.values():
            text.files[0] = f"files/{text.files[0]}"
        for json in segment.jsonKeyStats.values():
            json.files[0] = f"files/{json.files[0]}"

    twin.edit(twin.key("datacoord-meta/s"), SegmentInfo, lengthen)
    assert broken(twin) == {"segment records"}
    named = [difference.split(": ")[2].split(" is ")[0] for difference in twin.prove().differences]
    assert sorted(named) == ["jsonKeyStats[105].files", "jsonKeyStats[108].files", "textStatsLogs[106].files"]


def test_a_text_index_left_out_is_named(twin: RestoredTwin) -> None:
    twin.edit(twin.key("datacoord-meta/s"), SegmentInfo, lambda each: each.ClearField("textStatsLogs"))
    assert "segment records" in broken(twin)
    assert any("textStatsLogs[106] is missing" in each for each in twin.prove().differences)


def test_a_garbled_record_is_named(twin: RestoredTwin) -> None:
    key = twin.key("datacoord-meta/binlog")
    twin.records[key] = b"\xff\xff"
    assert f"log records: {key}: is no FieldBinlog (2 bytes)" in twin.prove().differences


# Damage to logs' and indexes' records.


@pytest.mark.parametrize("kind", ["binlog", "statslog", "deltalog"])
@pytest.mark.parametrize(
    ("field", "value"), [("log_path", "files/x"), ("log_size", 1), ("entries_num", 0), ("timestamp_to", 3)]
)
def test_a_wrong_log_is_named(twin: RestoredTwin, kind: str, field: str, value: object) -> None:
    key = twin.key(f"datacoord-meta/{kind}")
    twin.edit(key, FieldBinlog, lambda each: setattr(each.binlogs[0], field, value))
    assert broken(twin) == {"log records"}
    assert f"log records: {key}: binlogs[0].{field} is" in twin.prove().differences[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_rows", 1),
        ("indexID", SHAPE.index_id(0)),
        ("index_version", 2),
        ("state", 2),
        ("serialize_size", 1),
        ("mem_size", 1),
        ("current_index_version", 1),
        ("index_store_path_version", 1),
        ("create_time", 1_790_000_000_000_000_000),
        ("finished_time", 1_790_000_000_000),
        ("deleted", True),
    ],
)
def test_a_wrong_field_of_an_index_is_named(twin: RestoredTwin, field: str, value: object) -> None:
    key = twin.key("segment-index")
    twin.edit(key, SegmentIndex, lambda each: setattr(each, field, value))
    assert "index records" in broken(twin)
    assert any(
        each.startswith("index records: ") and f"{field} is" in each for each in twin.prove().differences
    )


def test_a_file_left_out_of_an_index_is_named(twin: RestoredTwin) -> None:
    twin.edit(twin.key("segment-index"), SegmentIndex, lambda each: each.index_file_keys.pop())
    assert broken(twin) == {"index records"}


@pytest.mark.parametrize("kind", ["datacoord-meta/s", "datacoord-meta/binlog", "segment-index"])
def test_a_missing_record_is_named(twin: RestoredTwin, kind: str) -> None:
    key = twin.key(kind)
    del twin.records[key]
    proof = twin.prove()
    assert not proof.ok
    assert any("is missing" in each or "no counterpart" in each for each in proof.differences)


def test_a_record_too_many_is_named(twin: RestoredTwin) -> None:
    owner = twin.key("datacoord-meta/binlog").rpartition("/")[0]
    twin.records[f"{owner}/999"] = FieldBinlog(fieldID=999).SerializeToString()
    assert broken(twin) == {"records beyond"}
    assert f"records beyond: record {owner}/999 is not of this restore" in twin.prove().differences


def test_a_changed_earlier_record_is_named(twin: RestoredTwin) -> None:
    key = f"{META}/datacoord-meta/snapshot/{SHAPE.collection_id}/{SHAPE.snapshot_id}"
    twin.records[key] += b"\x08\x01"
    assert broken(twin) == {"earlier records unchanged"}
    del twin.records[key]
    assert f"earlier records unchanged: record {key} is gone" in twin.prove().differences


# Builds and segments.


def reused_build(twin: RestoredTwin, source: int, build: int) -> None:
    """The state as if the restore had chosen this id for a source build of an index."""
    old = twin.ids[str(source)]
    for key in [key for key in twin.records if key.endswith(f"/{old}")]:
        moved = f"{key.rpartition('/')[0]}/{build}"
        twin.records[moved] = twin.records.pop(key)
        twin.edit(moved, SegmentIndex, lambda each: setattr(each, "buildID", build))
    for key in [key for key in twin.bucket.objects if f"/{old}/" in key]:
        twin.bucket.objects[key.replace(f"/{old}/", f"/{build}/")] = twin.bucket.objects.pop(key)


def test_a_build_id_of_the_source_is_named(twin: RestoredTwin) -> None:
    source = twin.written.manifests[0].index_files[0].build_id
    reused_build(twin, source, source)
    assert broken(twin) == {"new build ids"}
    assert "one of the source's own" in twin.prove().differences[0]


def test_one_build_id_for_two_builds_is_named(twin: RestoredTwin) -> None:
    first, second = (manifest.index_files[0].build_id for manifest in twin.written.manifests[:2])
    reused_build(twin, second, int(twin.ids[str(first)]))
    assert broken(twin) == {"new build ids"}
    assert "stands for 2 builds" in twin.prove().differences[0]


def test_a_record_that_names_another_build_than_its_key_is_named(twin: RestoredTwin) -> None:
    twin.edit(twin.key("segment-index"), SegmentIndex, lambda each: setattr(each, "buildID", 5))
    assert broken(twin) == {"index records"}


def test_a_segment_there_twice_is_named(twin: RestoredTwin) -> None:
    manifest = twin.written.manifests[2]
    old = twin.ids[str(manifest.segment_id)]
    for key in [key for key in twin.records if f"/{old}" in key and "binlog" in key]:
        twin.records[key.replace(f"/{old}", "/77")] = twin.records[key]
    assert broken(twin) >= {"segments", "records beyond"}
    assert "is there 2 times" in twin.prove().differences[0]


def test_a_segment_in_the_wrong_partition_is_named(twin: RestoredTwin) -> None:
    wrong = dict(twin.ids)
    manifest = twin.written.manifests[0]
    new, part = wrong[str(manifest.segment_id)], wrong[str(manifest.partition_id)]
    other = next(wrong[str(p)] for p in SHAPE.partition_ids.values() if p != manifest.partition_id)
    for key in [key for key in twin.records if f"/{part}/{new}" in key]:
        twin.records[key.replace(f"/{part}/", f"/{other}/")] = twin.records.pop(key)
    assert broken(twin) >= {"segment records", "log records", "index records", "records beyond"}


# The job's records.


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("state", CopySegmentJobExecuting),
        ("collection_id", 1),
        ("copied_segments", 1),
        ("total_rows", 1),
        ("snapshot_name", "other"),
        ("reason", "because"),
    ],
)
def test_a_wrong_field_of_the_job_is_named(twin: RestoredTwin, field: str, value: object) -> None:
    key = f"{META}/datacoord-meta/copy-segment-job/{JOB}"
    twin.edit(key, CopySegmentJob, lambda each: setattr(each, field, value))
    assert broken(twin) == {"completed job"}
    assert f"completed job: {key}: {field} is" in twin.prove().differences[0]


def test_a_missing_job_is_named(twin: RestoredTwin) -> None:
    del twin.records[f"{META}/datacoord-meta/copy-segment-job/{JOB}"]
    assert broken(twin) == {"completed job"}


def test_a_task_that_leads_elsewhere_is_named(twin: RestoredTwin) -> None:
    mapping = CopySegmentIDMapping(source_segment_id=SHAPE.segment_id(0), target_segment_id=5)
    task = CopySegmentTask(task_id=9, job_id=8, id_mappings=[mapping])
    twin.records[f"{META}/datacoord-meta/copy-segment-task/9"] = task.SerializeToString()
    assert broken(twin) == {"completed job"}
    assert len(twin.prove().differences) == 4


def test_the_table_shows_each_line_and_its_verdict(
    twin: RestoredTwin, capsys: pytest.CaptureFixture[str]
) -> None:
    twin.bucket.objects.pop(target_object(twin, "delta_log/"))
    Console(width=100).print(twin.prove())
    shown = capsys.readouterr().out
    for what in ("segments", "objects identical", "new build ids", "records beyond"):
        assert what in shown
    assert shown.count("differs") == 2
