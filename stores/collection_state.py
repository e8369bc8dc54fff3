"""What a collection holds now: segments, channel positions, and ids in use."""

from collections.abc import Mapping
from typing import NamedTuple

from formats.catalog import TargetCollection, is_live
from formats.keys import MetaKeys
from formats.paths import base_name
from formats.proto import common_pb2, data_pb2, msg_pb2
from formats.wire import decode
from restore.channels import pchannel_of
from stores.ports import MetadataStore

_NAMED = 5


class ChannelPosition(NamedTuple):
    """Where consumption of a channel stands; both are empty when nothing is known."""

    message_id: bytes
    message_group: str
    wal_name: int


def segments_of(store: MetadataStore, keys: MetaKeys, collection_id: int) -> tuple[int, tuple[int, ...]]:
    """Returns how many segments are not dropped, whatever else their state, and the ids of the first few."""
    count = 0
    some: list[int] = []
    for record in store.scan(keys.segments(collection_id)):
        if is_live(record.value):
            segment = decode(data_pb2.SegmentInfo, record.value, record.key)
            if segment.state != common_pb2.Dropped:
                count += 1
                some += [segment.ID] if len(some) < _NAMED else []
    return count, tuple(some)


def channel_positions(
    store: MetadataStore, keys: MetaKeys, collection: TargetCollection
) -> Mapping[str, ChannelPosition]:
    """Returns a position per virtual channel (architecture, decision 5).

    It is the channel's checkpoint, else where the collection began on its physical channel, else empty.
    """
    return {channel: _position(store, keys, collection, channel) for channel in collection.vchannels}


def existing_ids(store: MetadataStore, keys: MetaKeys, first: int, last: int) -> set[int]:
    """Returns the ids from first to last that any segment, index build, job or task of the cluster has."""
    prefixes = (keys.segments(), keys.segment_indexes(), keys.copy_segment_jobs, keys.copy_segment_tasks)
    return {
        number
        for prefix in prefixes
        for record in store.scan(prefix, keys_only=True)
        if (number := _number(record.key)) is not None and first <= number <= last
    }


def _position(
    store: MetadataStore, keys: MetaKeys, collection: TargetCollection, channel: str
) -> ChannelPosition:
    record = store.get(keys.channel_checkpoint(channel))
    if record is not None and is_live(record.value):
        checkpoint = decode(msg_pb2.MsgPosition, record.value, record.key)
        if checkpoint.msgID:
            return ChannelPosition(checkpoint.msgID, checkpoint.msgGroup, checkpoint.WAL_name)
    return ChannelPosition(collection.start_positions.get(pchannel_of(channel), b""), "", 0)


def _number(key: str) -> int | None:
    name = base_name(key)
    return int(name) if name.isascii() and name.isdecimal() and len(name) < 20 else None
