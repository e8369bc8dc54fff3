"""Where each channel of a collection stands: the boundary of a snapshot (snapshot-format.md, section 6)."""

from collections.abc import Iterable, Mapping

from formats.catalog import TargetCollection, is_live
from formats.keys import MetaKeys
from formats.proto.common_pb2 import Dropped
from formats.proto.data_pb2 import SegmentInfo
from formats.proto.msg_pb2 import MsgPosition
from formats.wire import decode
from restore.channels import pchannel_of
from stores.ports import MetadataStore


def seek_positions(
    store: MetadataStore, keys: MetaKeys, collection: TargetCollection
) -> tuple[MsgPosition, ...]:
    """Return one position per virtual channel, sorted by channel.

    It is the channel's checkpoint, else the earliest position of a living segment, else where the collection
    began.
    """
    checkpoints = {each: _checkpoint(store, keys, each) for each in sorted(collection.vchannels)}
    earliest = _earliest(store, keys, collection) if None in checkpoints.values() else {}
    return tuple(
        _of_channel(channel, found or earliest.get(channel) or _beginning(collection, channel))
        for channel, found in checkpoints.items()
    )


def _checkpoint(store: MetadataStore, keys: MetaKeys, channel: str) -> MsgPosition | None:
    record = store.get(keys.channel_checkpoint(channel))
    if record is None or not is_live(record.value):
        return None
    return decode(MsgPosition, record.value, record.key)


def _earliest(
    store: MetadataStore, keys: MetaKeys, collection: TargetCollection
) -> Mapping[str, MsgPosition]:
    found: dict[str, MsgPosition] = {}
    for segment in _living(store, keys, collection.id):
        position = segment.dml_position if segment.HasField("dml_position") else segment.start_position
        known = found.get(segment.insert_channel)
        if position.timestamp and (known is None or position.timestamp < known.timestamp):
            found[segment.insert_channel] = position
    return found


def _living(store: MetadataStore, keys: MetaKeys, collection_id: int) -> Iterable[SegmentInfo]:
    records = (each for each in store.scan(keys.segments(collection_id)) if is_live(each.value))
    segments = (decode(SegmentInfo, each.value, each.key) for each in records)
    return (each for each in segments if each.state != Dropped)


def _beginning(collection: TargetCollection, channel: str) -> MsgPosition:
    message = collection.start_positions.get(pchannel_of(channel), b"")
    return MsgPosition(msgID=message, timestamp=collection.created_at)


def _of_channel(channel: str, position: MsgPosition) -> MsgPosition:
    """A checkpoint may name the physical channel."""
    own = MsgPosition()
    own.CopyFrom(position)
    own.channel_name = channel
    return own
