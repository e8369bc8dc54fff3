"""A restore done by hand on twins: ids replaced in the source's own keys and records.

Nothing that the proof builds its expectation with is used, so that the two check each other.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from google.protobuf.message import Message

from formats.proto.data_pb2 import CopySegmentJob, CopySegmentJobCompleted, SegmentInfo
from formats.proto.etcd_pb2 import CollectionInfo, PartitionInfo
from formats.proto.index_pb2 import FieldIndex, IndexInfo, SegmentIndex
from formats.proto.msg_pb2 import MsgPosition
from samples.catalog import write_source, write_target
from samples.proof import Proof, prove
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, build_ids, write_sample
from tests.samples.bucket_twin import BucketTwin

MessageT = TypeVar("MessageT", bound=Message)

META = "by-dev/meta"
JOB = 2**40 + 900_000
SHAPE = SampleShape(segments=4, megabytes=0.8, dim=32, partitions=2, l0_segments=1)

KINDS = (
    "datacoord-meta/s/",
    "datacoord-meta/binlog/",
    "datacoord-meta/statslog/",
    "datacoord-meta/deltalog/",
    "datacoord-meta/bm25log/",
    "segment-index/",
)


@dataclass
class RestoredTwin:
    """A source, its snapshot, and a target into which all of it was restored."""

    written: WrittenSample
    bucket: BucketTwin
    records: dict[str, bytes]
    before: dict[str, bytes]
    target: int
    ids: dict[str, str] = field(default_factory=dict)

    def prove(self, *, rewritten: bool = False) -> Proof:
        return prove(
            self.bucket.client,
            lambda prefix: [(k, v) for k, v in self.records.items() if k.startswith(prefix)],
            self.written,
            self.before,
            collection_id=self.target,
            rewritten=rewritten,
        )

    @property
    def shape(self) -> SampleShape:
        return self.written.shape

    def moved(self, path: str) -> str:
        """A path or key of the source with every id replaced by the target's."""
        return "/".join(self.ids.get(part, part) for part in path.split("/"))

    def key(self, kind: str, number: int = 0) -> str:
        """The first record of a kind that the target's segment of this number has."""
        segment = self.ids[str(self.shape.segment_id(number))]
        keys = (key for key in self.records if key.startswith(f"{META}/{kind}/{self.target}/"))
        return min(key for key in keys if segment in key.split("/"))

    def edit(self, key: str, kind: type[MessageT], change: Callable[[MessageT], object]) -> None:
        """One record read, changed and written back."""
        message = kind()
        message.ParseFromString(self.records[key])
        change(message)
        self.records[key] = message.SerializeToString(deterministic=True)


def source_twin(shape: SampleShape = SHAPE) -> RestoredTwin:
    """The source and the empty target."""
    bucket = BucketTwin()
    written = write_sample(bucket.client, "a-bucket", shape)
    records: dict[str, bytes] = {}
    write_source(records.__setitem__, written)
    target = write_target(records.__setitem__, shape, collection="copy")
    return RestoredTwin(written, bucket, records, dict(records), target)


def restored_twin(shape: SampleShape = SHAPE) -> RestoredTwin:
    """The good state after a restore."""
    twin = source_twin(shape)
    twin.ids = {str(source): str(target) for source, target in _new_ids(twin).items()}
    for path in [path for path in twin.written.digests if "/snapshots/" not in path]:
        twin.bucket.objects[twin.moved(path)] = twin.bucket.objects[path]
    for key, value in _segment_records(twin).items():
        twin.records[key] = value
    _write_job(twin)
    return twin


def _new_ids(twin: RestoredTwin) -> dict[int, int]:
    sources = [manifest.segment_id for manifest in twin.written.manifests]
    builds = sorted(build_ids(twin.written.manifests))
    fresh = {source: 2**40 + number for number, source in enumerate([*sources, *builds])}
    names = {each.partitionName: each.partitionID for each in _partitions(twin, twin.target)}
    partitions = {number: names[name] for name, number in twin.shape.partition_ids.items()}
    successors = {other: fresh[own] for own, other in _successors(twin)}
    return {twin.shape.collection_id: twin.target, **partitions, **fresh, **successors}


def _successors(twin: RestoredTwin) -> Iterator[tuple[int, int]]:
    """Segments whose deletes lie in their own folders and belong to another segment, which is first."""
    for own, keys in twin.written.keys.items():
        for key in keys:
            folder, _, _, owner, *_ = key.removeprefix("files/").split("/")
            if folder in ("insert_log", "delta_log") and owner not in (str(own), "lobs"):
                yield own, int(owner)


def _segment_records(twin: RestoredTwin) -> dict[str, bytes]:
    records = {}
    for key, value in twin.before.items():
        below = key.removeprefix(f"{META}/")
        if below.startswith(tuple(f"{kind}{twin.shape.collection_id}/" for kind in KINDS)):
            records[twin.moved(key)] = _rewritten(twin, below, value)
    return records


def _rewritten(twin: RestoredTwin, below: str, value: bytes) -> bytes:
    if below.startswith("datacoord-meta/s/"):
        return _segment(twin, SegmentInfo.FromString(value)).SerializeToString(deterministic=True)
    if below.startswith("segment-index/"):
        return _index(twin, SegmentIndex.FromString(value)).SerializeToString(deterministic=True)
    return value


def _segment(twin: RestoredTwin, segment: SegmentInfo) -> SegmentInfo:
    shard = int(segment.insert_channel[-1])
    segment.insert_channel = _channels(twin)[shard]
    segment.ID, segment.collectionID = _new(twin, segment.ID), twin.target
    segment.partitionID = _new(twin, segment.partitionID)
    for position in (segment.start_position, segment.dml_position):
        checkpoint = MsgPosition.FromString(
            twin.records[f"{META}/datacoord-meta/channel-cp/{segment.insert_channel}"]
        )
        checkpoint.timestamp = position.timestamp
        position.CopyFrom(checkpoint)
    # The pointer ends in the quote after its folder's last id, which stands apart here as ids do in keys.
    segment.manifest_path = twin.moved(segment.manifest_path.replace('"}', '/"}')).replace('/"}', '"}')
    for text in segment.textStatsLogs.values():
        text.buildID = _new(twin, text.buildID)
    for json in segment.jsonKeyStats.values():
        json.buildID = _new(twin, json.buildID)
    return segment


def _index(twin: RestoredTwin, index: SegmentIndex) -> SegmentIndex:
    names = {each.indexID: each.index_name for each in _indexes(twin, twin.shape.collection_id)}
    numbers = {each.index_name: each.indexID for each in _indexes(twin, twin.target)}
    index.indexID = numbers[names[index.indexID]]
    index.collectionID, index.partitionID = twin.target, _new(twin, index.partitionID)
    index.segmentID, index.buildID = _new(twin, index.segmentID), _new(twin, index.buildID)
    index.create_time = index.finished_time = 1_790_000_000
    return index


def _write_job(twin: RestoredTwin) -> None:
    segments = len(twin.written.manifests)
    job = CopySegmentJob(
        job_id=JOB,
        collection_id=twin.target,
        state=CopySegmentJobCompleted,
        total_segments=segments,
        copied_segments=segments,
        total_rows=sum(manifest.num_of_rows for manifest in twin.written.manifests),
        snapshot_name=twin.shape.snapshot,
        source_collection_id=twin.shape.collection_id,
    )
    twin.records[f"{META}/datacoord-meta/copy-segment-job/{JOB}"] = job.SerializeToString()


def _new(twin: RestoredTwin, number: int) -> int:
    return int(twin.ids.get(str(number), number))


def _channels(twin: RestoredTwin) -> list[str]:
    key = f"{META}/root-coord/database/collection-info/1/{twin.target}"
    return list(CollectionInfo.FromString(twin.records[key]).virtual_channel_names)


def _partitions(twin: RestoredTwin, collection: int) -> list[PartitionInfo]:
    start = f"{META}/root-coord/partitions/{collection}/"
    return [PartitionInfo.FromString(v) for k, v in twin.records.items() if k.startswith(start)]


def _indexes(twin: RestoredTwin, collection: int) -> list[IndexInfo]:
    start = f"{META}/field-index/{collection}/"
    return [FieldIndex.FromString(v).index_info for k, v in twin.records.items() if k.startswith(start)]
