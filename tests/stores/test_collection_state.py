from collections.abc import Mapping

import pytest
from google.protobuf.message import Message

from formats.catalog import TargetCollection
from formats.keys import MetaKeys
from formats.proto import common_pb2, data_pb2, index_pb2, msg_pb2, schema_pb2
from restore.errors import UnsupportedFormat
from stores.collection_state import ChannelPosition, channel_positions, existing_ids, segments_of
from stores.memory import MemoryMetadataStore
from stores.ports import Transaction

KEYS = MetaKeys()
TOMBSTONE = b"\xe2\x9b\xbc"


def stored(records: Mapping[str, Message | bytes]) -> MemoryMetadataStore:
    store = MemoryMetadataStore()
    for key, value in records.items():
        body = value if isinstance(value, bytes) else value.SerializeToString()
        assert store.commit(Transaction(puts={key: body}))
    return store


def segment(number: int, state: common_pb2.SegmentState = common_pb2.Flushed) -> data_pb2.SegmentInfo:
    return data_pb2.SegmentInfo(ID=number, state=state)


def target(*vchannels: str, starts: Mapping[str, bytes]) -> TargetCollection:
    return TargetCollection(
        id=444,
        name="books",
        database_id=1,
        schema=schema_pb2.CollectionSchema(),
        shards=len(vchannels),
        vchannels=vchannels,
        partitions={},
        indexes=(),
        start_positions=starts,
        properties={},
    )


def test_an_empty_collection_has_no_segments() -> None:
    assert segments_of(stored({}), KEYS, 444) == (0, ())


def test_segments_of_every_state_but_dropped_are_counted() -> None:
    store = stored(
        {
            KEYS.segment(444, 555, 1): segment(1),
            KEYS.segment(444, 555, 2): segment(2, common_pb2.Importing),
            KEYS.segment(444, 555, 3): segment(3, common_pb2.Growing),
            KEYS.segment(444, -1, 4): segment(4),
            KEYS.segment(444, 555, 5): segment(5, common_pb2.Dropped),
            KEYS.segment(444, 555, 6): TOMBSTONE,
            KEYS.segment(4445, 555, 7): segment(7),
        }
    )
    assert segments_of(store, KEYS, 444) == (4, (4, 1, 2, 3))


def test_only_a_few_segments_are_named() -> None:
    store = stored({KEYS.segment(444, 555, number): segment(number) for number in range(100, 120)})
    assert segments_of(store, KEYS, 444) == (20, (100, 101, 102, 103, 104))


def test_a_segment_that_cannot_be_read_is_named() -> None:
    with pytest.raises(UnsupportedFormat, match=KEYS.segment(444, 555, 1)):
        segments_of(stored({KEYS.segment(444, 555, 1): b"\xff"}), KEYS, 444)


def test_a_channel_stands_at_its_checkpoint_else_where_it_began_else_nowhere() -> None:
    collection = target(
        "dml_9_444v0",
        "dml_10_444v1",
        "dml_11_444v2",
        "dml_12_444v3",
        starts={"dml_9": b"a", "dml_10": b"b", "dml_12": b"d"},
    )
    store = stored(
        {
            KEYS.channel_checkpoint("dml_9_444v0"): msg_pb2.MsgPosition(
                msgID=b"cp", msgGroup="group", WAL_name="Kafka"
            ),
            KEYS.channel_checkpoint("dml_12_444v3"): TOMBSTONE,
        }
    )
    assert channel_positions(store, KEYS, collection) == {
        "dml_9_444v0": ChannelPosition(b"cp", "group", 3),
        "dml_10_444v1": ChannelPosition(b"b", "", 0),
        "dml_11_444v2": ChannelPosition(b"", "", 0),
        "dml_12_444v3": ChannelPosition(b"d", "", 0),
    }


def test_a_checkpoint_without_a_message_id_tells_nothing() -> None:
    collection = target("dml_9_444v0", starts={"dml_9": b"a"})
    store = stored({KEYS.channel_checkpoint("dml_9_444v0"): msg_pb2.MsgPosition(timestamp=7)})
    assert channel_positions(store, KEYS, collection) == {"dml_9_444v0": ChannelPosition(b"a", "", 0)}


def test_ids_in_use_are_those_of_all_segments_builds_and_jobs_in_the_range() -> None:
    first, last = 2**40, 2**40 + 100
    store = stored(
        {
            KEYS.segment(444, 555, first): segment(first),
            KEYS.segment(9, -1, last): segment(last),
            KEYS.segment(444, 555, first - 1): segment(first - 1),
            KEYS.segment(444, 555, last + 1): segment(last + 1),
            KEYS.segment_index(444, 555, first + 1, first + 2): index_pb2.SegmentIndex(),
            KEYS.copy_segment_job(first + 3): data_pb2.CopySegmentJob(),
            KEYS.copy_segment_task(first + 4): data_pb2.CopySegmentTask(),
            KEYS.segments() + "not-a-number": b"",
            KEYS.snapshot(1, first + 5): data_pb2.SnapshotInfo(),
        }
    )
    assert existing_ids(store, KEYS, first, last) == {first, last, first + 2, first + 3, first + 4}
