"""Snapshots of a real collection, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass

from formats.location import SnapshotLocation
from formats.manifest import decode_manifest
from formats.metadata import read_metadata
from formats.proto.data_pb2 import SnapshotMetadata
from formats.segment import SegmentManifest
from tests.real_milvus.cluster import Cluster


@dataclass(frozen=True)
class Snapshot:
    """A snapshot as its files have it."""

    uri: str
    metadata: SnapshotMetadata
    manifests: tuple[SegmentManifest, ...]

    @property
    def collection(self) -> int:
        return int(self.metadata.snapshot_info.collection_id)

    @property
    def partitions(self) -> Mapping[int, str]:
        """The partitions' names by their ids."""
        return {number: name for name, number in self.metadata.collection.partitions.items()}

    @property
    def builds(self) -> set[int]:
        """The ids of all index builds."""
        return {index.build_id for each in self.manifests for index in each.index_files}

    @classmethod
    def read(cls, cluster: Cluster, uri: str) -> "Snapshot":
        """Read it from its bucket."""
        location = SnapshotLocation.parse(uri)
        metadata = read_metadata(_body(cluster, location.key), key=location.key)
        version = metadata.format_version
        manifests = (
            decode_manifest(_body(cluster, key), format_version=version, key=key)
            for key in metadata.manifest_list
        )
        return cls(uri, metadata, tuple(manifests))


def _body(cluster: Cluster, key: str) -> bytes:
    return cluster.s3.get_object(Bucket=cluster.place.bucket, Key=key)["Body"].read()
