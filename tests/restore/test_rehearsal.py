from typing import Any

import pytest

from restore.errors import InvalidRequest, SnapshotCorrupt
from restore.plan import ListedObject, SegmentPlan, SegmentTree
from restore.rehearsal import rehearse
from tests.formats.segment_samples import TARGET, V3, index, log, logs, manifest

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
