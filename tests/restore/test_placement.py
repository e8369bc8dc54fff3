from typing import Any

import pytest

from formats.segment import FieldBinlog, TextIndex
from restore.errors import SnapshotCorrupt, TargetMismatch
from restore.placement import Allocate, Placement, require_rows, require_stats, source_builds
from restore.plan import ListedObject, SegmentPlan, SegmentTree
from tests.formats.segment_samples import L0, V3, index, manifest

NO_TREE = SegmentTree()
SOURCE_CHANNEL = manifest().channel_name
TARGET_CHANNEL = "by-dev-rootcoord-dml_9_444v0"


def placement(**changes: Any) -> Placement:
    usual: dict[str, Any] = {
        "collection_id": 444,
        "partitions": {222: 555},
        "channels": {SOURCE_CHANNEL: TARGET_CHANNEL},
        "positions": {TARGET_CHANNEL: (b"\x08\x10", "group", 3)},
        "index_ids": {"vec": 777, "title": 778},
        "created_at": 1_767_225_600,
    }
    return Placement(**{**usual, **changes})


def allocator(first: int = 2**40) -> Allocate:
    free = iter(range(first, first + 1000))
    return lambda count: [next(free) for _ in range(count)]


def test_a_segment_gets_the_targets_partition_channel_and_position() -> None:
    target = placement().place(manifest(), NO_TREE, allocator()).target
    assert (target.collection_id, target.partition_id) == (444, 555)
    assert target.channel == TARGET_CHANNEL
    assert (target.message_id, target.message_group, target.wal_name) == (b"\x08\x10", "group", 3)
    assert target.created_at == 1_767_225_600


def test_a_segment_and_each_of_its_builds_get_new_ids_of_their_own() -> None:
    target = placement().place(manifest(), NO_TREE, allocator(5000)).target
    assert target.segment_id == 5000
    assert target.builds == {1001: 5001, 1002: 5002}


def test_exactly_as_many_ids_are_taken_as_are_used() -> None:
    taken: list[int] = []

    def allocate(count: int) -> list[int]:
        taken.append(count)
        return list(range(count))

    placement().place(manifest(), NO_TREE, allocate)
    assert taken == [3]


def test_the_manifest_is_kept_as_it_is() -> None:
    placed: SegmentPlan = placement().place(manifest(), NO_TREE, allocator())
    assert placed.source == manifest()


def test_index_ids_are_the_targets_by_name_and_only_those_of_the_segment() -> None:
    assert placement().place(manifest(), NO_TREE, allocator()).target.index_ids == {"vec": 777}


def test_a_channel_without_a_known_position_gets_an_empty_one() -> None:
    target = placement(positions={}).place(manifest(), NO_TREE, allocator()).target
    assert (target.message_id, target.message_group) == (b"", "")


def test_deletes_that_concern_all_partitions_keep_minus_one() -> None:
    everywhere = manifest(**L0, partition_id=-1)
    assert placement(partitions={}).wanted(everywhere)
    assert placement().place(everywhere, NO_TREE, allocator()).target.partition_id == -1


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, True),
        ({"partition_id": 223}, False),
        ({**L0, "partition_id": 222}, True),
        ({**L0, "partition_id": 223}, False),
        ({**L0, "partition_id": 0}, True),
        ({**L0, "partition_id": 999}, True),
        ({"partition_id": -1}, False),
    ],
    ids=[
        "chosen",
        "not chosen",
        "deletes of a chosen",
        "deletes of another",
        "deletes of 0",
        "deletes of no partition of the collection",
        "rows of no partition",
    ],
)
def test_segments_of_the_chosen_partitions_are_wanted(changes: dict[str, Any], wanted: bool) -> None:
    assert placement(left_out={223}).wanted(manifest(**changes)) is wanted


@pytest.mark.parametrize("partition", [-1, 0, 999])
def test_deletes_of_no_partition_of_the_collection_concern_all_of_them(partition: int) -> None:
    placed = placement().place(manifest(**L0, partition_id=partition), NO_TREE, allocator())
    assert placed.target.partition_id == -1


def test_an_index_that_the_target_lacks_is_named_before_any_id_is_taken() -> None:
    def allocate(count: int) -> list[int]:
        raise AssertionError(f"{count} ids were taken")

    with pytest.raises(
        TargetMismatch, match=r"segment 333 has index 'vec' on field 102; the target has title"
    ):
        placement(index_ids={"title": 778}).place(manifest(), NO_TREE, allocate)


def test_builds_are_distinct_in_manifest_order_and_0_is_none() -> None:
    text = TextIndex(field_id=101, version=1, log_size=1, memory_size=1, build_id=0)
    builds = (index(build_id=9), index(build_id=3), index(build_id=9))
    assert source_builds(manifest(index_files=builds, text_index_files=(text,))) == [9, 3, 1002]


@pytest.mark.parametrize("version", [0, 2])
@pytest.mark.parametrize("logs", [(), (FieldBinlog(field_id=0),)], ids=["none", "none in a group"])
def test_rows_without_insert_logs_would_be_lost(version: int, logs: tuple[FieldBinlog, ...]) -> None:
    segment = manifest(storage_version=version, binlog_files=logs)
    with pytest.raises(SnapshotCorrupt, match="segment 333 has 1000 rows but no insert logs"):
        placement().place(segment, NO_TREE, allocator())


@pytest.mark.parametrize("changes", [V3, L0, {"num_of_rows": 0}], ids=["of a manifest", "deletes", "no rows"])
def test_other_segments_need_no_insert_logs(changes: dict[str, Any]) -> None:
    require_rows(manifest(**(changes | {"binlog_files": ()})))


def test_rows_without_key_statistics_would_lose_later_deletes() -> None:
    with pytest.raises(SnapshotCorrupt, match="segment 333 has 1000 rows but no stats logs"):
        placement().place(manifest(statslog_files=()), NO_TREE, allocator())


@pytest.mark.parametrize("changes", [L0, {"statslog_files": (), "num_of_rows": 0}], ids=["deletes", "empty"])
def test_segments_without_rows_need_no_key_statistics(changes: dict[str, Any]) -> None:
    require_stats(manifest(**changes), NO_TREE)


def test_key_statistics_may_lie_below_the_segments_folder() -> None:
    listed = ListedObject(kind="stats", key="files/insert_log/111/222/333/_stats/bloom_filter.100/1", size=9)
    tree = SegmentTree(objects=(listed,))
    source = manifest(**V3, statslog_files=())
    assert placement().place(source, tree, allocator()).tree == tree
    with pytest.raises(SnapshotCorrupt):
        require_stats(source, NO_TREE)


@pytest.mark.parametrize("kind", ["bm25.102", "text_index.106", "json_stats.105"])
def test_other_statistics_are_none_of_the_key(kind: str) -> None:
    listed = ListedObject(kind="stats", key=f"files/insert_log/111/222/333/_stats/{kind}/1", size=9)
    with pytest.raises(SnapshotCorrupt, match="no stats logs"):
        require_stats(manifest(**V3, statslog_files=()), SegmentTree(objects=(listed,)))


def test_statistics_of_a_kind_that_is_not_known_may_be_of_the_key() -> None:
    listed = ListedObject(kind="stats", key="files/insert_log/111/222/333/_stats/key_filter.100/1", size=9)
    require_stats(manifest(**V3, statslog_files=()), SegmentTree(objects=(listed,)))
