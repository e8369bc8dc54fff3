"""Paths below their roots, and bundles that were moved."""

import pytest

from formats.errors import InvalidRequest, SnapshotCorrupt, UnsupportedFormat
from formats.location import SnapshotLocation
from formats.proto.data_pb2 import (
    SnapshotInfo,
    SnapshotLayout,
    SnapshotLayoutReferenced,
    SnapshotLayoutSelfContained,
    SnapshotMetadata,
)
from formats.roots import SnapshotRoots
from formats.segment import SegmentManifest
from tests.formats.golden import full

_LOGS = ("binlog_files", "deltalog_files", "statslog_files", "bm25_statslog_files")


def roots_of(
    root: str = "files", layout: SnapshotLayout = SnapshotLayoutReferenced, written: str = ""
) -> SnapshotRoots:
    key = f"{root}/snapshots/100/metadata/4611.json" if root else "snapshots/100/metadata/4611.json"
    metadata = SnapshotMetadata(layout=layout, snapshot_info=SnapshotInfo(s3_location=written))
    return SnapshotRoots.of(SnapshotLocation.parse(f"s3://bucket/{key}"), metadata)


def moved(written: str = "s3://old/exports/a/snapshots/100/metadata/4611.json") -> SnapshotRoots:
    """A bundle written under exports/a and opened from copies/b."""
    return roots_of("copies/b", SnapshotLayoutSelfContained, written)


def segment(folder: str, **changes: object) -> SegmentManifest:
    """A segment all of whose files lie in one folder."""
    entry = full().model_dump()
    for name in _LOGS:
        for log in entry[name][0]["binlogs"]:
            log["log_path"] = f"{folder}/{log['log_path']}"
    entry["index_files"][0]["index_file_paths"] = [f"{folder}/HNSW"]
    entry["text_index_files"][0]["files"] = [f"{folder}/text/1"]
    entry["json_key_index_files"][0]["files"] = [f"{folder}/json/1"]
    return SegmentManifest.model_validate(entry | {"manifest_path": f"{folder}/m"} | changes)


def test_referenced_snapshots_keep_manifests_and_data_below_the_source_root() -> None:
    roots = roots_of()
    assert (roots.manifest_root, roots.data_root) == ("files", "files")
    roots.check("files/insert_log/1/2/3/4/5")
    assert roots.settle(segment("files/x")) == segment("files/x")


def test_a_bucket_itself_can_be_the_root() -> None:
    roots = roots_of("")
    assert (roots.manifest_root, roots.data_root) == ("", "")
    roots.check("insert_log/1/2/3/4/5")


def test_bundles_keep_manifests_below_their_root_and_data_below_files() -> None:
    roots = roots_of("b", SnapshotLayoutSelfContained)
    assert (roots.manifest_root, roots.data_root) == ("b", "b/files")
    with pytest.raises(InvalidRequest, match="'b/other/x' does not lie below 'b/files'"):
        roots.check("b/other/x")


@pytest.mark.parametrize(
    "path",
    ["other/insert_log/1", "filesystem/x", "files", "", "/files/x", "files/../x", "files/a//b", "files/./x"],
)
def test_a_path_outside_its_root_is_refused_naming_both(path: str) -> None:
    with pytest.raises(InvalidRequest, match=r"path outside its root: '.*' .*'files'"):
        roots_of().check(path)


def test_manifest_keys_must_lie_below_the_manifest_root() -> None:
    good = ["files/snapshots/1/manifests/2/3.avro", "files/manifests/4.avro"]
    assert roots_of().manifest_keys(SnapshotMetadata(manifest_list=good)) == good
    with pytest.raises(InvalidRequest, match=r"'file/snapshots/3\.avro' does not lie below 'files'"):
        roots_of().manifest_keys(SnapshotMetadata(manifest_list=["file/snapshots/3.avro"]))


def test_a_moved_bundle_is_rebased_in_every_path() -> None:
    assert moved().settle(segment("exports/a/files/x")) == segment("copies/b/files/x")
    key = "exports/a/snapshots/100/manifests/4611/3.avro"
    assert moved().manifest_keys(SnapshotMetadata(manifest_list=[key])) == [
        "copies/b/snapshots/100/manifests/4611/3.avro"
    ]


@pytest.mark.parametrize(
    "place",
    [
        "",
        "/",
        "s3://old/",
        "gs://old/",
        "minio://minio:9000/old/",
        "https://s3.amazonaws.com/old/",
        "azure://account.blob.core.windows.net/old/",
        "az://account.blob.core.windows.net/old/",
    ],
)
def test_a_bundle_may_come_from_any_provider(place: str) -> None:
    """Copied to where it is read now, it still says where it was written."""
    roots = moved(f"{place}exports/a/snapshots/100/metadata/4611.json")
    assert roots.rebase("exports/a/files/x") == "copies/b/files/x"


def test_the_pointer_of_a_storage_v3_segment_is_rebased_inside_its_json() -> None:
    pointer = '{"ver":3,"base_path":"exports/a/files/insert_log/1/2/3"}'
    source = segment("exports/a/files/x", storage_version=3, manifest_path=pointer)
    assert moved().settle(source).manifest_path == '{"ver":3,"base_path":"copies/b/files/insert_log/1/2/3"}'


def test_rebasing_replaces_whole_folders_only() -> None:
    assert moved().rebase("exports/a/files/x") == "copies/b/files/x"
    assert moved().rebase("exports/ab/files/x") == "exports/ab/files/x"
    assert moved("snapshots/100/metadata/4611.json").rebase("files/x") == "copies/b/files/x"
    to_bucket = roots_of("", SnapshotLayoutSelfContained, "exports/a/snapshots/100/metadata/4611.json")
    assert to_bucket.rebase("exports/a/files/x") == "files/x"


def test_no_path_stays_none_when_a_bundle_is_moved_out_of_the_bucket_itself() -> None:
    source = segment("files/x", manifest_path="")
    roots = moved("s3://bucket/snapshots/100/metadata/4611.json")
    assert roots.settle(source) == segment("copies/b/files/x", manifest_path="")


def test_a_bundle_that_stayed_or_does_not_say_is_not_rebased() -> None:
    here = "s3://bucket/copies/b/snapshots/100/metadata/4611.json"
    for roots in (moved(here), moved("")):
        assert roots.settle(segment("copies/b/files/x")) == segment("copies/b/files/x")


def test_referenced_snapshots_are_never_rebased() -> None:
    roots = roots_of("copy", SnapshotLayoutReferenced, "files/snapshots/100/metadata/4611.json")
    assert roots.rebase("files/x") == "files/x"


def test_a_bundle_that_was_written_nowhere_is_corrupt() -> None:
    with pytest.raises(SnapshotCorrupt, match=r"snapshot_info\.s3_location: .* expected a key of the form"):
        moved("somewhere")


@pytest.mark.parametrize(
    "name",
    [*_LOGS, "index_files", "text_index_files", "json_key_index_files", "manifest_path"],
)
def test_each_kind_of_path_is_checked(name: str) -> None:
    inside, outside = segment("files/x"), segment("elsewhere")
    mixed = inside.model_copy(update={name: getattr(outside, name)})
    with pytest.raises(InvalidRequest, match=r"'elsewhere/.*' does not lie below 'files'"):
        roots_of().settle(mixed)


def test_of_storage_v3_text_and_json_files_only_the_syntax_is_checked() -> None:
    pointer = '{"ver":1,"base_path":"files/insert_log/1/2/3"}'
    other = segment("elsewhere")
    names = ("text_index_files", "json_key_index_files")
    inside = segment("files/x", storage_version=3, manifest_path=pointer)
    mixed = inside.model_copy(update={name: getattr(other, name) for name in names})
    assert roots_of().settle(mixed) == mixed
    climbing = mixed.model_copy(update={names[0]: segment("a/..").text_index_files})
    with pytest.raises(InvalidRequest, match=r"has the segment '\.\.'"):
        roots_of().settle(climbing)


def test_logs_without_a_path_are_passed_over() -> None:
    assert roots_of().settle(segment("files/x", manifest_path="")).manifest_path == ""


def test_the_base_path_of_a_pointer_is_checked() -> None:
    outside = segment("files/x", storage_version=3, manifest_path='{"ver":1,"base_path":"other/1"}')
    with pytest.raises(InvalidRequest, match="'other/1' does not lie below 'files'"):
        roots_of().settle(outside)
    nothing = segment("files/x", storage_version=3, manifest_path='{"ver":0,"base_path":"files/1"}')
    with pytest.raises(UnsupportedFormat, match="ver 0"):
        roots_of().settle(nothing)
