"""What makes Milvus lose rows, deletes or indexes without a word, each looked for in what a restore wrote.

Most of these states load and answer queries; what they cost was seen by making them by hand.
"""

import pytest

from formats.keys import MetaKeys
from formats.proto import common_pb2
from restore.channels import shard_of
from tests.real_milvus.catalog import Segment
from tests.real_milvus.cluster import Cluster
from tests.real_milvus.kinds import ORDERS, Kind
from tests.real_milvus.story import KINDS, Source, Target, Twin

Targets = dict[Kind, Target]

of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


@of_each_kind
def test_every_segment_has_both_positions_on_its_own_channel(targets: Targets, kind: Kind) -> None:
    """Without a position a segment is silently empty."""
    for segment in targets[kind].records.segments:
        for position in (segment.info.start_position, segment.info.dml_position):
            assert position.channel_name == segment.info.insert_channel
            assert position.timestamp > 0


@of_each_kind
def test_positions_are_the_targets_and_their_times_the_sources(
    targets: Targets, source: Source, kind: Kind
) -> None:
    """The source's message ids would let a load wait for ever, on a channel that is not the target's."""
    records = targets[kind].records
    for was, segment in records.pairs(source.snapshots[kind]):
        start, end = segment.info.start_position, segment.info.dml_position
        assert (start.timestamp, end.timestamp) == (was.start_position.timestamp, was.dml_position.timestamp)
        known = {records.collection.start_positions[segment.info.insert_channel.rpartition("_")[0]]}
        if checkpoint := records.checkpoints.get(segment.info.insert_channel):
            known.add(checkpoint.msgID)
        assert {start.msgID, end.msgID} <= known | {b""}
        assert not {start.msgID, end.msgID} & {was.start_position.msg_id, was.dml_position.msg_id}


@of_each_kind
def test_every_segment_has_the_statistics_of_its_primary_keys(targets: Targets, kind: Kind) -> None:
    """Without them later deletes of restored rows are silently lost."""
    (key,) = (each.fieldID for each in targets[kind].records.collection.schema.fields if each.is_primary_key)
    for segment in targets[kind].records.segments:
        assert [each.fieldID for each in segment.statslogs] == [key]
        assert all(each.binlogs for each in segment.statslogs)


@of_each_kind
def test_every_object_that_a_record_names_is_there(targets: Targets, kind: Kind) -> None:
    """A missing one lets a load never end, or shows at the next compaction; no message names it."""
    records = targets[kind].records
    named = {key for segment in records.segments for key in segment.objects}

    assert {kind_of.partition("/")[0] for kind_of in named} == {
        "insert_log",
        "stats_log",
        "delta_log",
        "index_files",
    }
    assert named - records.objects.keys() == set()


@of_each_kind
def test_every_shard_goes_to_the_channel_of_the_same_shard(
    targets: Targets, source: Source, kind: Kind
) -> None:
    """With channels swapped later deletes are silently lost, since the key's hash sends them elsewhere."""
    pairs = targets[kind].records.pairs(source.snapshots[kind])

    assert {shard_of(segment.info.insert_channel) for _, segment in pairs} == set(range(kind.shards))
    for was, segment in pairs:
        assert shard_of(segment.info.insert_channel) == shard_of(was.channel_name)
        assert segment.info.insert_channel in targets[kind].records.collection.vchannels


@of_each_kind
def test_the_deletes_of_every_segment_came_along(targets: Targets, source: Source, kind: Kind) -> None:
    """Without delete logs, deleted rows come back."""
    pairs = targets[kind].records.pairs(source.snapshots[kind])
    deletes = [(_deletes(segment), sum(_counts(was.deltalog_files))) for was, segment in pairs]

    assert sum(expected for _, expected in deletes) == len(kind.deleted)
    assert [found for found, _ in deletes] == [expected for _, expected in deletes]


@of_each_kind
def test_every_segment_is_there_with_its_rows_in_its_partition(
    targets: Targets, source: Source, kind: Kind
) -> None:
    """Milvus notices neither a missing segment nor a wrong number of rows."""
    snapshot, records = source.snapshots[kind], targets[kind].records
    pairs = records.pairs(snapshot)

    assert len(pairs) == len(records.segments) == len(snapshot.manifests)
    for was, segment in pairs:
        assert segment.info.num_of_rows == was.num_of_rows
        assert records.partitions[segment.info.partitionID] == snapshot.partitions[was.partition_id]


@of_each_kind
def test_every_segment_is_flushed(targets: Targets, kind: Kind) -> None:
    """Growing and importing ones load without their indexes."""
    states = {(each.info.state, each.info.is_importing) for each in targets[kind].records.segments}

    assert states == {(common_pb2.Flushed, False)}


@of_each_kind
def test_no_id_is_the_sources_and_all_came_from_the_cluster(
    targets: Targets, source: Source, kind: Kind
) -> None:
    """The garbage collection goes by build ids: with the source's it deletes the source's index files."""
    records, snapshot = targets[kind].records, source.snapshots[kind]
    builds = {index.buildID for each in records.segments for index in each.indexes}
    segments = {each.info.ID for each in records.segments}
    own_counter = range(2**40, 2**41)

    assert len(builds) == len(snapshot.builds)
    assert not builds & snapshot.builds
    assert not segments & set(snapshot.metadata.segment_ids)
    assert not any(number in own_counter for number in builds | segments)


def test_garbage_collection_leaves_a_living_source_and_its_twin_alone(twin: Twin, source: Source) -> None:
    assert twin.rounds > 2
    assert twin.source_objects_before
    assert twin.source_objects_after == twin.source_objects_before
    assert twin.twin_objects_after == twin.twin_objects_before
    assert len(twin.twin_objects_after) == len(twin.source_objects_after)


def test_a_living_source_and_its_twin_go_their_own_ways(twin: Twin, source: Source) -> None:
    golden = source.golden[ORDERS]

    assert twin.source_rows == golden["rows in all"] + 100 - 5
    assert twin.source_nearest == twin.source_nearest_before
    assert (twin.twin_rows, twin.twin_nearest) == (golden["rows in all"], golden["nearest"])
    assert twin.builds == 0


@of_each_kind
def test_every_build_is_linked_to_the_targets_index_of_the_same_name(
    targets: Targets, source: Source, kind: Kind
) -> None:
    """Without its entry Milvus builds an index anew; Milvus 2.3 then puts it where it does not find it."""
    records = targets[kind].records
    names = {index.indexID: index.index_name for index in records.collection.indexes}
    for was, segment in records.pairs(source.snapshots[kind]):
        built = {index.index_name: index for index in was.index_files}
        assert sorted(names[each.indexID] for each in segment.indexes) == sorted(built)
        for each in segment.indexes:
            of = built[names[each.indexID]]
            assert each.state == common_pb2.Finished
            assert (each.num_rows, each.index_version) == (of.num_rows, of.index_version)
            assert sorted(each.index_file_keys) == sorted(
                path.rpartition("/")[2] for path in of.index_file_paths
            )


def test_segments_with_and_without_index_files_and_with_several_are_among_them(source: Source) -> None:
    files = [
        index.index_file_paths for each in source.snapshots[ORDERS].manifests for index in each.index_files
    ]

    assert () in files
    assert any(path.endswith("/SLICE_META") for paths in files for path in paths)


def test_nothing_lies_where_the_coordinator_would_take_it_for_a_segment(
    first: Cluster, restored: Targets
) -> None:
    """Milvus 2.3 parses all whose key begins with datacoord-meta/s, and does not start when it cannot."""
    prefix = MetaKeys.segments(first.keys).removesuffix("/")
    keys = {key.key.decode() for _, key in first.etcd.get_prefix(prefix)}

    assert keys
    assert {key for key in keys if not key.startswith(f"{prefix}/")} - _stats(keys, prefix) == set()
    assert restored


@of_each_kind
def test_a_result_tells_ids_as_text_and_what_was_copied(targets: Targets, kind: Kind) -> None:
    """Temporal's tools round numbers of 64 bits."""
    target = targets[kind]
    named = {key for segment in target.records.segments for key in segment.objects}

    assert target.result["collection_id"] == str(target.records.collection.id)
    assert target.result["segments"] == len(target.records.segments)
    assert target.result["rows"] == sum(each.info.num_of_rows for each in target.records.segments)
    assert target.result["objects"] == len(named)
    assert target.result["bytes"] == sum(target.records.objects[key] for key in named)


def _counts(fields: tuple[object, ...]) -> list[int]:
    return [log.entries_num for field in fields for log in field.binlogs]  # type: ignore[attr-defined]  # of both kinds


def _deletes(segment: Segment) -> int:
    return sum(_counts(segment.deltalogs))


def _stats(keys: set[str], prefix: str) -> set[str]:
    return {key for key in keys if key.startswith(f"{prefix}tatslog/")}
