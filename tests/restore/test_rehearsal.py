from typing import Any

import pytest

from restore.errors import InvalidRequest, SnapshotCorrupt
from restore.plan import ListedObject, SegmentPlan, SegmentTree
from restore.rehearsal import rehearse
from tests.formats.segment_samples import L0, TARGET, V3, index, log, logs, manifest

POINTER = '{"ver":2,"base_path":"files/insert_log/111/222"}'


def planned(tree: SegmentTree | None = None, /, **changes: Any) -> SegmentPlan:
    return SegmentPlan(source=manifest(**changes), target=TARGET, tree=tree or SegmentTree())


def test_a_sound_segment_passes() -> None:
    rehearse(planned(), source_root="files", target_root="copies")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"binlog_files": (logs(1, "files/insert_log/111/222/333/1/part"),)}, "has no log id"),
        ({"deltalog_files": (logs(0, ""),)}, "log 0 of deltalog_files has no path"),
        ({"deltalog_files": (logs(0, "files/delta_log/111/9"),)}, "invalid structure"),
        ({"deltalog_files": (logs(0, "files/other/111/222/333/9"),)}, "none of the folders"),
        ({"index_files": (index(build_id=0),)}, "build id is 0"),
        ({"index_files": (index(index_version=2),)}, "not where its record says"),
        ({**V3, "manifest_path": POINTER}, "invalid structure"),
    ],
    ids=["log without id", "log without path", "short", "no kind", "no build", "other version", "folder"],
)
def test_what_could_not_be_copied_or_recorded_is_found_now(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(SnapshotCorrupt, match=says):
        rehearse(planned(**changes), source_root="files", target_root="files")


def test_a_log_of_a_segment_with_a_manifest_of_its_own_needs_no_path() -> None:
    unnamed = logs(0, "").model_copy(update={"binlogs": (log("", log_id=7),)})
    rehearse(planned(**V3, binlog_files=(unnamed,)), source_root="files", target_root="files")


def test_a_path_outside_the_root_is_found_now() -> None:
    with pytest.raises(InvalidRequest, match="outside the source root"):
        rehearse(planned(), source_root="elsewhere", target_root="files")


def test_two_objects_never_become_one() -> None:
    own, other = (
        ListedObject(kind="delta", key=f"files/insert_log/111/222/{segment}/_delta/9", size=1)
        for segment in (333, 334)
    )
    with pytest.raises(SnapshotCorrupt, match=r"333/_delta/9.*334/_delta/9.*one would be lost"):
        rehearse(planned(SegmentTree(objects=(own, other)), **V3), source_root="files", target_root="files")


def test_an_object_that_is_named_twice_is_no_other() -> None:
    twice = logs(0, *["files/delta_log/111/222/333/9"] * 2)
    rehearse(planned(deltalog_files=(twice,)), source_root="files", target_root="files")


def moved_text(**changes: Any) -> dict[str, Any]:
    (text,) = manifest().text_index_files
    return {"text_index_files": (text.model_copy(update=changes),)}


def moved_json(**changes: Any) -> dict[str, Any]:
    (json,) = manifest().json_key_index_files
    return {"json_key_index_files": (json.model_copy(update=changes),)}


ELSEWHERE: dict[str, tuple[dict[str, Any], str]] = {
    "insert log of another field": (
        {"binlog_files": (logs(102, "files/insert_log/111/222/333/103/42"),)},
        "insert_log/{coll}/{part}/{seg}/102/{log}",
    ),
    "insert log among the statistics": (
        {"statslog_files": (logs(100, "files/insert_log/111/222/333/100/43"),)},
        "stats_log/{coll}/{part}/{seg}/100/{log}",
    ),
    "BM25 statistics among those of keys": (
        {"bm25_statslog_files": (logs(103, "files/stats_log/111/222/333/103/45"),)},
        "bm25_stats/{coll}/{part}/{seg}/103/{log}",
    ),
    "deletes among inserts": (
        {"deltalog_files": (logs(0, "files/insert_log/111/222/333/0/44"),)},
        "delta_log/{coll}/{part}/{seg}/{log}",
    ),
    "text index of another build": (moved_text(build_id=0), "text_log/0/3/"),
    "text index of another version": (moved_text(version=2), "text_log/1002/2/"),
    "text index of another field": (moved_text(field_id=102), "/102/{file}"),
    "JSON stats of another build": (moved_json(build_id=1001), "json_stats/2/1001/4/"),
    "JSON stats of another data format": (moved_json(json_key_stats_data_format=3), "json_stats/3/"),
    "JSON stats as a key index": (moved_json(json_key_stats_data_format=1), "json_key_index_log/1002/4/"),
}


@pytest.mark.parametrize(("changes", "expected"), ELSEWHERE.values(), ids=ELSEWHERE.keys())
def test_a_file_that_milvus_would_look_for_elsewhere_is_found_now(
    changes: dict[str, Any], expected: str
) -> None:
    with pytest.raises(SnapshotCorrupt, match="is not where its entry says") as raised:
        rehearse(planned(**changes), source_root="files", target_root="files")
    assert expected in str(raised.value)


@pytest.mark.parametrize("data_format", [0, 1, 2, 3, 4])
def test_a_json_index_of_any_data_format_lies_where_that_format_says(data_format: int) -> None:
    folder = f"json_stats/{data_format}" if data_format >= 2 else "json_key_index_log"
    path = f"files/{folder}/1002/4/111/222/333/104/shredding_data/0"
    changes = moved_json(json_key_stats_data_format=data_format, files=(path,))
    rehearse(planned(**changes), source_root="files", target_root="files")


def test_an_index_of_no_build_lies_at_build_0() -> None:
    path = "files/text_log/0/3/111/222/333/101/f_0"
    rehearse(planned(**moved_text(build_id=0, files=(path,))), source_root="files", target_root="files")


def test_a_root_that_is_named_like_a_kind_is_no_kind() -> None:
    root = "insert_log/text_log"
    path = f"{root}/delta_log/111/222/333/44"
    changes = L0 | {"deltalog_files": (logs(0, path),)}
    rehearse(planned(**changes), source_root=root, target_root="files")


def test_deletes_may_be_those_of_a_segment_it_was_compacted_to() -> None:
    successors = logs(0, "files/delta_log/111/222/999/46")
    rehearse(planned(deltalog_files=(successors,)), source_root="files", target_root="files")
