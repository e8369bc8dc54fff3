"""A snapshot of a catalog: which segments, which objects, and what of an earlier attempt is left."""

from collections.abc import Callable

import pytest

from formats.errors import CatalogCorrupt
from formats.proto.common_pb2 import Dropped, Flushed
from formats.proto.data_pb2 import Binlog, FieldBinlog, SegmentInfo
from formats.proto.etcd_pb2 import PartitionInfo
from formats.proto.msg_pb2 import MsgPosition
from restore.errors import ObjectMissing
from samples.shape import SampleShape
from stores.ports import Location, Transaction
from tests.stores.snapshot_ground import BUCKET, KEYS, Ground

SHAPE = SampleShape(segments=4, l0_segments=1, partitions=2, megabytes=0.05, dim=2, shards=1)
TOMBSTONE = b"\xe2\x9b\xbc"


@pytest.fixture
def ground() -> Ground:
    return Ground(SHAPE)


def all_but(ground: Ground, *numbers: int) -> set[int]:
    return {each.segment_id for number, each in enumerate(ground.manifests) if number not in numbers}


@pytest.mark.parametrize(
    "change",
    [
        lambda ground: ground.change(1, state=Dropped),
        lambda ground: ground.change(1, is_importing=True),
        lambda ground: ground.change(1, commit_timestamp=2**63),
        lambda ground: ground.change(1, is_invisible=True, compactionFrom=[ground.manifests[0].segment_id]),
    ],
    ids=["dropped", "importing", "beyond the boundary", "invisible beside what it was made of"],
)
def test_a_segment_that_is_not_of_the_snapshot_is_left_out(
    ground: Ground, change: Callable[[Ground], object]
) -> None:
    change(ground)
    ground.take()
    assert ground.ids() == all_but(ground, 1)


def test_an_invisible_segment_whose_sources_are_gone_is_taken(ground: Ground) -> None:
    ground.change(0, state=Dropped)
    ground.change(1, is_invisible=True, compactionFrom=[ground.manifests[0].segment_id])
    ground.take()
    assert ground.ids() == all_but(ground, 0)


def test_of_a_dropped_partition_nothing_is_taken(ground: Ground) -> None:
    gone = ground.manifests[1].partition_id
    key = KEYS.partition(SHAPE.collection_id, gone)
    ground.put({key: PartitionInfo(partitionID=gone, partitionName="part_1", state="PartitionDropping")})
    ground.take()
    expected = {each.segment_id for each in ground.manifests if each.partition_id != gone}
    assert ground.ids() == expected
    assert "part_1" not in ground.read()[0].collection.partitions


def test_a_deleted_record_is_no_record(ground: Ground) -> None:
    manifest = ground.manifests[0]
    key = KEYS.segment(SHAPE.collection_id, manifest.partition_id, manifest.segment_id)
    assert ground.metadata.commit(Transaction(puts={key: TOMBSTONE}))
    ground.take()
    assert ground.ids() == all_but(ground, 0)


def test_a_segment_without_any_log_is_left_out(ground: Ground) -> None:
    ids = (SHAPE.collection_id, ground.manifests[0].partition_id, 99)
    ground.put({KEYS.segment(*ids): segment(99, ids[1])})
    ground.take()
    assert ground.ids() == all_but(ground)


def test_deletes_of_what_a_segment_was_compacted_to_are_its_own_too(ground: Ground) -> None:
    source, partition = ground.manifests[0], ground.manifests[0].partition_id
    ids = (SHAPE.collection_id, partition, 98)
    key = SHAPE.key(f"delta_log/{SHAPE.collection_id}/{partition}/98/5")
    ground.objects.put(Location(BUCKET, key), b"12345")
    ground.put(
        {
            KEYS.segment(*ids): segment(98, partition, compactionFrom=[source.segment_id], state=Dropped),
            KEYS.deltalog(*ids, 0): FieldBinlog(binlogs=[Binlog(logID=5, entries_num=2, log_size=5)]),
        }
    )
    ground.take()
    deletes = ground.read()[1][source.segment_id].deltalog_files
    assert [log.log_path for field in deletes for log in field.binlogs][-1] == key
    assert ground.ids() == all_but(ground)


def test_a_collection_without_segments_has_a_snapshot_too() -> None:
    ground = Ground(SHAPE)
    for number in range(SHAPE.all_segments):
        ground.change(number, state=Dropped)
    count = ground.take()
    assert (count.segments, count.objects, count.bytes) == (0, 0, 0)
    assert list(ground.read()[0].collection.virtual_channel_names) == list(SHAPE.virtual_channels)


def test_an_object_that_is_gone_is_named_and_no_metadata_is_written(ground: Ground) -> None:
    key = ground.manifests[2].binlog_files[0].binlogs[0].log_path
    ground.objects.delete(BUCKET, [key])
    with pytest.raises(ObjectMissing, match=key):
        ground.take()
    assert ground.files.metadata.key not in ground.stored


def test_rows_without_statistics_of_keys_are_refused(ground: Ground) -> None:
    manifest = ground.manifests[0]
    prefix = KEYS.statslogs(SHAPE.collection_id, manifest.partition_id, manifest.segment_id)
    keys = [each.key for each in ground.metadata.scan(prefix)]
    assert ground.metadata.commit(Transaction(deletes=keys))
    with pytest.raises(CatalogCorrupt, match=f"segment {manifest.segment_id} has"):
        ground.take()


def test_sizes_are_those_of_the_objects_whatever_the_catalog_says(ground: Ground) -> None:
    manifest, (first, *others) = ground.manifests[0], ground.manifests[0].binlog_files[0].binlogs
    ids = (SHAPE.collection_id, manifest.partition_id, manifest.segment_id, manifest.binlog_files[0].field_id)
    ground.put(
        {
            KEYS.binlog(*ids): FieldBinlog(
                fieldID=ids[3],
                binlogs=[
                    Binlog(logID=each.log_id, entries_num=each.entries_num, log_size=123_456)
                    for each in (first, *others)
                ],
            )
        }
    )
    ground.take()
    found = ground.read()[1][manifest.segment_id].binlog_files[0].binlogs[0]
    assert (found.log_size, found.memory_size) == (len(ground.data[first.log_path]), 123_456)


def test_what_an_earlier_attempt_wrote_of_other_segments_is_removed(ground: Ground) -> None:
    info = ground.info()
    ground.take(info)
    ground.change(0, state=Dropped)
    ground.take(info)
    assert ground.files.manifest(ground.manifests[0].segment_id).key not in ground.stored
    assert len(ground.stored) == 1 + len(all_but(ground, 0))


def test_removing_takes_all_files_of_the_snapshot_and_no_others(ground: Ground) -> None:
    ground.take()
    beside = [f"{each.rsplit('/', 1)[0]}0/1.avro" for each in ground.stored if "/manifests/" in each][:1]
    ground.objects.put(Location(BUCKET, beside[0]), b"of a snapshot whose id begins alike")
    assert ground.files.any()
    removed = ground.files.remove()
    assert removed == 1 + len(ground.manifests)
    assert ground.stored == set(beside)
    assert not ground.files.any()
    assert ground.files.remove() == 0


def test_without_a_checkpoint_the_boundary_is_the_earliest_living_segment(ground: Ground) -> None:
    checkpoint = KEYS.channel_checkpoint(SHAPE.virtual_channels[0])
    assert ground.metadata.commit(Transaction(deletes=[checkpoint]))
    (position,) = ground.info().channel_seek_positions
    earliest = min(each.dml_position.timestamp for each in ground.manifests)
    assert (position.timestamp, position.channel_name) == (earliest, SHAPE.virtual_channels[0])


def test_without_any_position_the_boundary_is_where_the_collection_began() -> None:
    ground = Ground(SHAPE)
    for number in range(SHAPE.all_segments):
        ground.change(number, state=Dropped)
    assert ground.metadata.commit(Transaction(deletes=[KEYS.channel_checkpoint(SHAPE.virtual_channels[0])]))
    (position,) = ground.info().channel_seek_positions
    assert position.timestamp > 0
    assert position.msgID


def test_a_checkpoint_by_physical_channel_gets_the_virtual_ones_name(ground: Ground) -> None:
    channel = SHAPE.virtual_channels[0]
    ground.put(
        {KEYS.channel_checkpoint(channel): MsgPosition(channel_name="by-dev-rootcoord-dml_0", timestamp=7)}
    )
    (position,) = ground.info().channel_seek_positions
    assert (position.channel_name, position.timestamp) == (channel, 7)


def segment(number: int, partition: int, **changes: object) -> SegmentInfo:
    whole = SegmentInfo(
        ID=number,
        collectionID=SHAPE.collection_id,
        partitionID=partition,
        insert_channel=SHAPE.virtual_channels[0],
        state=Flushed,
    )
    whole.MergeFrom(SegmentInfo(**changes))  # type: ignore[arg-type]  # fields of the message by name
    return whole
