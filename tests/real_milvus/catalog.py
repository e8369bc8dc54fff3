"""A restored collection as etcd has it, beside the segments it was made of."""

from collections.abc import Mapping
from dataclasses import dataclass

from formats.catalog import TargetCollection
from formats.proto import data_pb2, index_pb2, msg_pb2
from formats.segment import SegmentManifest
from stores.catalog import read_collection
from stores.metadata import EtcdMetadataStore
from tests.real_milvus.cluster import Cluster
from tests.real_milvus.snapshots import Snapshot


@dataclass(frozen=True)
class Segment:
    """All records of one segment."""

    info: data_pb2.SegmentInfo
    binlogs: tuple[data_pb2.FieldBinlog, ...]
    statslogs: tuple[data_pb2.FieldBinlog, ...]
    deltalogs: tuple[data_pb2.FieldBinlog, ...]
    indexes: tuple[index_pb2.SegmentIndex, ...]

    @property
    def objects(self) -> set[str]:
        """The keys, below the root path, where Milvus looks for what the records name."""
        place = f"{self.info.collectionID}/{self.info.partitionID}/{self.info.ID}"
        return {
            *(f"insert_log/{place}/{log}" for log in _logs(self.binlogs)),
            *(f"stats_log/{place}/{log}" for log in _logs(self.statslogs)),
            *(f"delta_log/{place}/{log.rpartition('/')[2]}" for log in _logs(self.deltalogs)),
            *(
                f"index_files/{each.buildID}/{each.index_version}/{self.info.partitionID}/{self.info.ID}/{key}"
                for each in self.indexes
                for key in each.index_file_keys
            ),
        }


@dataclass(frozen=True)
class Restored:
    """A collection and its segments; `checkpoints` are the positions of its channels."""

    collection: TargetCollection
    segments: tuple[Segment, ...]
    checkpoints: Mapping[str, msg_pb2.MsgPosition]
    objects: Mapping[str, int]

    @property
    def partitions(self) -> Mapping[int, str]:
        """The partitions' names by their ids."""
        return {number: name for name, number in self.collection.partitions.items()}

    @classmethod
    def read(cls, cluster: Cluster, name: str) -> "Restored":
        """Read the collection of this name from etcd and list its objects, keys below the root path."""
        store = EtcdMetadataStore.connect("default", [cluster.place.etcd])
        try:
            found = read_collection(store, cluster.keys, "default", name)
        finally:
            store.close()
        infos = cluster.records(data_pb2.SegmentInfo, cluster.keys.segments(found.id)).values()
        positions = {
            channel: cluster.records(msg_pb2.MsgPosition, cluster.keys.channel_checkpoint(channel))
            for channel in found.vchannels
        }
        return cls(
            collection=found,
            segments=tuple(_segment(cluster, info) for info in infos),
            checkpoints={channel: next(iter(each.values())) for channel, each in positions.items() if each},
            objects=cluster.objects(),
        )

    def pairs(self, snapshot: Snapshot) -> list[tuple[SegmentManifest, Segment]]:
        """Each segment of the snapshot with the one made of it: insert logs keep their ids."""
        made = {_log_ids(each.binlogs): each for each in self.segments}
        return [(source, made[_source_log_ids(source)]) for source in snapshot.manifests]


def _segment(cluster: Cluster, info: data_pb2.SegmentInfo) -> Segment:
    keys, ids = cluster.keys, (info.collectionID, info.partitionID, info.ID)
    logs = data_pb2.FieldBinlog
    return Segment(
        info=info,
        binlogs=tuple(cluster.records(logs, keys.binlogs(*ids)).values()),
        statslogs=tuple(cluster.records(logs, keys.statslogs(*ids)).values()),
        deltalogs=tuple(cluster.records(logs, keys.deltalogs(*ids)).values()),
        indexes=tuple(cluster.records(index_pb2.SegmentIndex, keys.segment_indexes(*ids)).values()),
    )


def _logs(fields: tuple[data_pb2.FieldBinlog, ...]) -> list[str]:
    return [f"{field.fieldID}/{log.logID}" for field in fields for log in field.binlogs]


def _log_ids(fields: tuple[data_pb2.FieldBinlog, ...]) -> frozenset[int]:
    return frozenset(log.logID for field in fields for log in field.binlogs)


def _source_log_ids(source: SegmentManifest) -> frozenset[int]:
    return frozenset(log.log_id for field in source.binlog_files for log in field.binlogs)
