import pytest

from formats.errors import SnapshotCorrupt
from formats.proto import data_pb2
from formats.stats_records import json_stats, text_stats
from tests.formats.segment_samples import TARGET, V3, manifest


def test_text_indexes_keep_base_names_and_get_new_builds() -> None:
    assert text_stats(manifest(), TARGET) == {
        101: data_pb2.TextIndexStats(
            fieldID=101, version=3, files=["f_0"], log_size=12, memory_size=13, buildID=2002
        )
    }


def test_json_stats_keep_the_path_below_their_field() -> None:
    assert json_stats(manifest(), TARGET) == {
        104: data_pb2.JsonKeyStats(
            fieldID=104,
            version=4,
            files=["shredding_data/0"],
            log_size=22,
            memory_size=23,
            buildID=2002,
            json_key_stats_data_format=2,
        )
    }


def test_json_stats_of_a_segment_with_a_manifest_of_its_own_may_be_short_already() -> None:
    (json,) = manifest().json_key_index_files
    long = "files/insert_log/111/222/333/_stats/json_stats.104/shredding_data/0/1"
    short = (json.model_copy(update={"files": ("shared_key_index/meta.json_0", long)}),)
    assert list(json_stats(manifest(**V3, json_key_index_files=short), TARGET)[104].files) == [
        "shared_key_index/meta.json_0",
        "shredding_data/0/1",
    ]
    with pytest.raises(SnapshotCorrupt, match="shared_key_index"):
        json_stats(manifest(json_key_index_files=short), TARGET)


def test_stats_of_build_zero_keep_it() -> None:
    (text,) = manifest().text_index_files
    (json,) = manifest().json_key_index_files
    source = manifest(
        text_index_files=(text.model_copy(update={"build_id": 0}),),
        json_key_index_files=(json.model_copy(update={"build_id": 0}),),
    )
    assert text_stats(source, TARGET)[101].buildID == 0
    assert json_stats(source, TARGET)[104].buildID == 0


def test_a_file_that_is_named_twice_is_kept_once() -> None:
    (text,) = manifest().text_index_files
    (json,) = manifest().json_key_index_files
    source = manifest(
        text_index_files=(text.model_copy(update={"files": text.files * 2}),),
        json_key_index_files=(json.model_copy(update={"files": json.files * 2}),),
    )
    assert list(text_stats(source, TARGET)[101].files) == ["f_0"]
    assert list(json_stats(source, TARGET)[104].files) == ["shredding_data/0"]


def test_two_indexes_of_one_field_are_corrupt() -> None:
    with pytest.raises(SnapshotCorrupt, match="field 101 has two text"):
        text_stats(manifest(text_index_files=manifest().text_index_files * 2), TARGET)
    with pytest.raises(SnapshotCorrupt, match="field 104 has two JSON"):
        json_stats(manifest(json_key_index_files=manifest().json_key_index_files * 2), TARGET)
