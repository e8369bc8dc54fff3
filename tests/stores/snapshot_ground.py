"""A cluster in memory, and snapshots taken of it."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from google.protobuf.message import Message

from formats.keys import MetaKeys
from formats.manifest import decode_manifest
from formats.metadata import read_metadata
from formats.proto.data_pb2 import SegmentInfo, SnapshotInfo, SnapshotMetadata, SnapshotStatePending
from formats.segment import SegmentManifest
from restore.snapshot_steps import SnapshotCount
from samples.catalog import source_records
from samples.collection import sample_segments
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from stores.catalog import read_collection
from stores.memory import MemoryMetadataStore
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location, Transaction
from stores.seek_positions import seek_positions
from stores.segment_catalog import SegmentCatalog
from stores.segment_objects import SegmentObjects
from stores.snapshot_files import SnapshotFiles
from stores.snapshot_writer import SnapshotWriter

BUCKET, SNAPSHOT = "b", 2**40
KEYS = MetaKeys()


@dataclass
class Ground:
    """The sample's objects and records; tests change either."""

    shape: SampleShape
    objects: MemoryObjectStore = field(default_factory=lambda: MemoryObjectStore(BUCKET))
    metadata: MemoryMetadataStore = field(default_factory=MemoryMetadataStore)

    def __post_init__(self) -> None:
        segments = list(sample_segments(self.shape))
        self.manifests = tuple(each.manifest for each in segments)
        self.data = {key: body for each in segments for key, body in each.objects.items()}
        for key, body in self.data.items():
            self.objects.put(Location(BUCKET, key), body)
        written = WrittenSample(self.shape, BUCKET, "", "", 0, 0, {}, self.manifests, {})
        records = source_records(written, "by-dev/meta")
        self.put({key: value for key, value in records.items() if "/snapshot/" not in key})

    @property
    def files(self) -> SnapshotFiles:
        return SnapshotFiles(self.objects, BUCKET, self.shape.root, self.shape.collection_id, SNAPSHOT)

    @property
    def stored(self) -> set[str]:
        """The keys of the snapshot's own files."""
        return {each.key for each in self.objects.scan(BUCKET, "")} - self.data.keys()

    def put(self, records: dict[str, Message]) -> None:
        for key, value in records.items():
            assert self.metadata.commit(Transaction(puts={key: value.SerializeToString()}))

    def change(self, number: int, **changes: object) -> int:
        """Have a segment's record say something else; its id."""
        manifest = self.manifests[number]
        key = KEYS.segment(self.shape.collection_id, manifest.partition_id, manifest.segment_id)
        record = self.metadata.get(key)
        assert record
        segment = SegmentInfo.FromString(record.value)
        segment.MergeFrom(SegmentInfo(**changes))  # type: ignore[arg-type]  # fields by name
        self.put({key: segment})
        return manifest.segment_id

    def info(self) -> SnapshotInfo:
        """The pending record of a snapshot that is taken now."""
        collection = read_collection(self.metadata, KEYS, self.shape.database, self.shape.name)
        positions = seek_positions(self.metadata, KEYS, collection)
        return SnapshotInfo(
            name=self.shape.snapshot,
            id=SNAPSHOT,
            collection_id=collection.id,
            partition_ids=sorted(collection.partitions.values()),
            create_ts=_signed(min(each.timestamp for each in positions)),
            state=SnapshotStatePending,
            channel_seek_positions=positions,
        )

    def take(self, info: SnapshotInfo | None = None) -> SnapshotCount:
        """Write the snapshot's files."""
        collection = read_collection(self.metadata, KEYS, self.shape.database, self.shape.name)
        with ThreadPoolExecutor(2) as threads:
            writer = SnapshotWriter(
                SegmentCatalog(self.metadata, KEYS, collection, self.shape.root),
                SegmentObjects(self.objects, BUCKET, self.shape.root),
                self.files,
                threads,
            )
            return writer.write(info or self.info(), collection, self.shape.database, lambda _: None)

    def read(self) -> tuple[SnapshotMetadata, dict[int, SegmentManifest]]:
        """What was written, as a restore reads it."""
        at = self.files.metadata
        metadata = read_metadata(self.objects.get(at), key=at.key)
        manifests = (self._manifest(key) for key in metadata.manifest_list)
        return metadata, {each.segment_id: each for each in manifests}

    def _manifest(self, key: str) -> SegmentManifest:
        return decode_manifest(self.objects.get(Location(BUCKET, key)), format_version=4, key=key)

    def ids(self) -> set[int]:
        """The segments of what was written."""
        return set(self.read()[0].segment_ids)


def without_pointers(manifests: Iterable[SegmentManifest]) -> dict[int, SegmentManifest]:
    """Manifests as their files have them, by segment."""
    return {each.segment_id: each.model_copy(update={"manifest_path": ""}) for each in manifests}


def _signed(number: int) -> int:
    return number if number < 2**63 else number - 2**64
