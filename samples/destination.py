"""The collection that a sample was restored into, as its own records describe it."""

from collections.abc import Mapping
from dataclasses import dataclass

from formats.proto.etcd_pb2 import CollectionInfo, PartitionInfo
from formats.proto.index_pb2 import FieldIndex
from formats.proto.msg_pb2 import MsgPosition
from formats.segment import Position
from samples.world import World


@dataclass(frozen=True, slots=True)
class Destination:
    """Names to ids, shards to vchannels, and each vchannel's checkpoint or start position."""

    collection: int
    partitions: Mapping[str, int]
    channels: Mapping[str, str]
    indexes: Mapping[str, int]
    checkpoints: Mapping[str, MsgPosition]

    def channel(self, source: str) -> str:
        """The vchannel of the same shard as a source's: decision 4 of the architecture."""
        return self.channels.get(shard_of(source), f"none for shard {shard_of(source)}")

    def position(self, source: Position, channel: str) -> MsgPosition:
        """Where a segment begins or ends in the target's log: decision 5 of the architecture."""
        position = MsgPosition()
        position.CopyFrom(self.checkpoints.get(channel, position))
        position.channel_name = channel
        position.timestamp = source.timestamp
        return position


def shard_of(channel: str) -> str:
    """The shard's number at the end of a vchannel, `pchannel_collectionvN`."""
    return channel.rpartition("v")[2]


def read_destination(before: World, collection: int) -> Destination:
    """The collection as it was before the restore; KeyError when it was not there."""
    info = _collection(before, collection)
    partitions = before.messages(f"root-coord/partitions/{collection}", PartitionInfo, ids=1)
    indexes = before.messages(f"field-index/{collection}", FieldIndex, ids=1)
    return Destination(
        collection=collection,
        partitions={each.partitionName: each.partitionID for _, each in partitions},
        channels={shard_of(name): name for name in info.virtual_channel_names},
        indexes={each.index_info.index_name: each.index_info.indexID for _, each in indexes},
        checkpoints={name: _checkpoint(before, info, name) for name in info.virtual_channel_names},
    )


def _collection(before: World, collection: int) -> CollectionInfo:
    for _, info in before.messages("root-coord/database/collection-info", CollectionInfo, ids=2):
        if collection == info.ID:
            return info
    raise KeyError(f"no collection {collection} under {before.meta}")


def _checkpoint(before: World, info: CollectionInfo, channel: str) -> MsgPosition:
    saved = before.records.get(f"{before.meta}/datacoord-meta/channel-cp/{channel}")
    if saved is not None:
        return MsgPosition.FromString(saved)
    starts = {pair.key: pair.data for pair in info.start_positions}
    return MsgPosition(msgID=starts.get(channel.rpartition("_")[0], b""))
