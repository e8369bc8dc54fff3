"""The collection that was restored into, as etcd described it before."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.audit.protobuf import message


@dataclass(frozen=True)
class Target:
    """Ids by name, vchannels by shard, and where each vchannel's log stands."""

    collection: int
    partitions: Mapping[str, int]
    channels: Mapping[str, str]
    indexes: Mapping[str, int]
    positions: Mapping[str, Mapping[str, Any]]

    def channel(self, source: str) -> str:
        """The vchannel of the shard that a source's vchannel is of."""
        return self.channels[_shard(source)]


def read_target(records: Mapping[str, bytes], meta: str, collection: int) -> Target:
    """The collection of this id; KeyError when there is none."""
    infos = _messages(records, f"{meta}/root-coord/database/collection-info/", "etcd.CollectionInfo")
    info = {each["ID"]: each for each in infos}[collection]
    channels = info["virtual_channel_names"]
    partitions = _messages(records, f"{meta}/root-coord/partitions/{collection}/", "etcd.PartitionInfo")
    indexes = _messages(records, f"{meta}/field-index/{collection}/", "index.FieldIndex")
    return Target(
        collection=collection,
        partitions={each["partitionName"]: each["partitionID"] for each in partitions},
        channels={_shard(each): each for each in channels},
        indexes={each["index_info"]["index_name"]: each["index_info"]["indexID"] for each in indexes},
        positions={each: _position(records, meta, info, each) for each in channels},
    )


def _messages(records: Mapping[str, bytes], prefix: str, kind: str) -> Iterator[dict[str, Any]]:
    return (message(kind, value) for key, value in records.items() if key.startswith(prefix))


def _position(
    records: Mapping[str, bytes], meta: str, info: Mapping[str, Any], channel: str
) -> dict[str, Any]:
    saved = records.get(f"{meta}/datacoord-meta/channel-cp/{channel}")
    if saved is not None:
        return message("msg.MsgPosition", saved)
    starts = {each["key"]: each["data"] for each in info.get("start_positions", [])}
    return {"msgID": starts.get(channel.rpartition("_")[0], b"")}


def _shard(channel: str) -> str:
    return channel.rpartition("v")[2]
