"""The product's paths and records, and those that the proof expects, made apart, are the same."""

import pytest

from formats.keys import MetaKeys
from formats.paths import Relocation, relocate
from formats.proto.msg_pb2 import MsgPosition
from formats.records import published_records
from formats.segment import SegmentManifest
from formats.target import SegmentTarget
from restore.plan import SegmentPlan
from samples.collection import SampleSegment, SampleShape, sample_segments
from samples.object_proof import target_objects
from samples.records import Placement, segment_records
from samples.schema import definitions
from samples.snapshot import build_ids
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from stores.segment_trees import SegmentTrees

SHAPE = SampleShape(
    segments=13,
    megabytes=1,
    dim=16,
    l0_segments=4,
    storage_versions=(0, 2, 3, 0, 2, 3, 3),
    oddities={
        3: "older schema",
        4: "deletes only",
        5: "successor's deletes",
        7: "no rows",
        8: "empty object",
        9: "newer manifest",
    },
    full_text=True,
    large_text=True,
    collection_id=2**63 - 10**6,
    born_ms=2**46 - 10**8,
)
SEGMENTS = list(sample_segments(SHAPE))
CHANNEL = "by-dev-rootcoord-dml_9_444v0"
INDEXES = {index.name: number for number, index in enumerate(definitions(SHAPE))}


def builds(manifest: SegmentManifest) -> dict[int, int]:
    return {build: 2**40 + number for number, build in enumerate(sorted(build_ids([manifest])))}


def partition(manifest: SegmentManifest) -> int:
    return -1 if manifest.partition_id == -1 else 555


def expected_place(manifest: SegmentManifest) -> Placement:
    def position(timestamp: int) -> MsgPosition:
        return MsgPosition(channel_name=CHANNEL, msgID=b"cp", msgGroup="dn", timestamp=timestamp)

    return Placement(
        meta="by-dev/meta",
        root="copies",
        collection=444,
        partition=partition(manifest),
        segment=666,
        channel=CHANNEL,
        start=position(manifest.start_position.timestamp),
        dml=position(manifest.dml_position.timestamp),
        builds=builds(manifest),
        indexes=INDEXES,
        indexed_at=1_790_000_000,
    )


def move(manifest: SegmentManifest) -> Relocation:
    return Relocation(
        source_root=SHAPE.root,
        target_root="copies",
        collection_id=444,
        partition_id=partition(manifest),
        segment_id=666,
        builds=builds(manifest),
    )


def target(manifest: SegmentManifest) -> SegmentTarget:
    return SegmentTarget(
        collection_id=444,
        partition_id=partition(manifest),
        segment_id=666,
        channel=CHANNEL,
        message_id=b"cp",
        message_group="dn",
        builds=builds(manifest),
        index_ids=INDEXES,
        created_at=1_790_000_000,
    )


def stored(segment: SampleSegment) -> MemoryObjectStore:
    store = MemoryObjectStore("b")
    for key, body in segment.objects.items():
        store.put(Location("b", key), body)
    return store


@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda each: str(each.manifest.segment_id))
def test_paths_agree(segment: SampleSegment) -> None:
    tree = SegmentTrees(stored(segment), "b").look(segment.manifest)
    plan = SegmentPlan(source=segment.manifest, target=target(segment.manifest), tree=tree)
    where = move(segment.manifest)
    planned = {relocate(source, where): source for _, source, _ in plan.named_objects()}
    assert planned == target_objects(segment.manifest, segment.objects, expected_place(segment.manifest))
    assert sorted(planned.values()) == sorted(segment.objects)


@pytest.mark.parametrize("segment", SEGMENTS, ids=lambda each: str(each.manifest.segment_id))
def test_records_agree(segment: SampleSegment) -> None:
    manifest = segment.manifest
    where = move(manifest)
    found = published_records(manifest, target(manifest), MetaKeys(), lambda path: relocate(path, where))
    expected = segment_records(manifest, expected_place(manifest))
    assert found == {key: message.SerializeToString(deterministic=True) for key, message in expected.items()}
