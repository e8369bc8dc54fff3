from typing import Any

import pytest

from formats.errors import InvalidRequest, SnapshotCorrupt, UnsupportedFormat
from formats.index_records import index_records
from formats.proto import common_pb2, index_pb2
from tests.formats.segment_samples import KEYS, TARGET, index, manifest


def test_an_index_build_is_linked_to_the_target_by_name_with_new_ids() -> None:
    records = index_records(manifest(), TARGET, KEYS)
    assert list(records) == [KEYS.segment_index(444, 555, 666, 2001)]
    assert index_pb2.SegmentIndex.FromString(records[KEYS.segment_index(444, 555, 666, 2001)]) == (
        index_pb2.SegmentIndex(
            collectionID=444,
            partitionID=555,
            segmentID=666,
            num_rows=999,
            indexID=777,
            buildID=2001,
            index_version=1,
            state=common_pb2.Finished,
            index_file_keys=["HNSW_0", "SLICE_META"],
            create_time=1_767_225_600,
            finished_time=1_767_225_600,
            serialize_size=500,
            mem_size=900,
            current_index_version=7,
            current_scalar_index_version=2,
        )
    )


def one_index(**changes: Any) -> index_pb2.SegmentIndex:
    (value,) = index_records(manifest(index_files=(index(**changes),)), TARGET, KEYS).values()
    return index_pb2.SegmentIndex.FromString(value)


def test_a_file_that_is_named_twice_is_kept_once() -> None:
    assert list(one_index(index_file_paths=index().index_file_paths * 2).index_file_keys) == [
        "HNSW_0",
        "SLICE_META",
    ]


def test_a_finished_build_without_files_is_kept() -> None:
    record = one_index(index_file_paths=())
    assert record.state == common_pb2.Finished
    assert not record.index_file_keys


def test_a_collection_rooted_index_keeps_its_path_version() -> None:
    record = one_index(
        index_store_path_version=1, index_file_paths=("files/index_v1/111/222/333/1001/1/HNSW_0",)
    )
    assert record.index_store_path_version == index_pb2.COLLECTION_ROOTED
    assert list(record.index_file_keys) == ["HNSW_0"]


@pytest.mark.parametrize(
    ("version", "path"),
    [
        (0, "files/index_v1/111/222/333/1001/1/HNSW_0"),
        (1, "files/index_files/1001/1/222/333/HNSW_0"),
        (1, "files/index_files/111/222/333/1001/1/HNSW_0"),
        (0, "files/index_files/1002/1/222/333/HNSW_0"),
        (0, "files/index_files/1001/2/222/333/HNSW_0"),
        (0, "files/index_files/1001/1/222/333/sub/HNSW_0"),
        (1, "files/index_v1/111/222/333/1001/1/sub/HNSW_0"),
        (1, "HNSW_0"),
    ],
)
def test_a_file_that_milvus_would_not_find_by_the_record_is_corrupt(version: int, path: str) -> None:
    with pytest.raises(SnapshotCorrupt) as raised:
        one_index(index_store_path_version=version, index_file_paths=(path,))
    assert repr(path) in str(raised.value)


def test_an_unknown_path_version_is_unsupported() -> None:
    for version in (2, -1):
        with pytest.raises(UnsupportedFormat, match="index_store_path_version"):
            one_index(index_store_path_version=version)


def test_an_index_that_the_target_lacks_is_named_with_those_it_has() -> None:
    with pytest.raises(InvalidRequest, match=r"'gone'.*title, vec"):
        one_index(index_name="gone")


def test_a_source_build_id_is_never_kept() -> None:
    with pytest.raises(InvalidRequest, match="build id 7"):
        one_index(build_id=7)
    with pytest.raises(SnapshotCorrupt, match="build id is 0"):
        one_index(build_id=0)


def test_two_builds_of_one_id_would_lose_one_and_are_corrupt() -> None:
    both = (index(), index(index_name="title", field_id=101))
    with pytest.raises(SnapshotCorrupt, match="build id 1001"):
        index_records(manifest(index_files=both), TARGET, KEYS)
