"""The product's paths and records, and those that the proof expects, made apart, are the same."""

from collections.abc import Callable

import pytest

from formats.keys import MetaKeys
from formats.paths import Relocation, relocate
from formats.proto.msg_pb2 import MsgPosition
from formats.records import published_records
from formats.segment import SegmentManifest
from formats.target import SegmentTarget
from samples.collection import SampleShape, sample_segments
from samples.object_proof import target_objects
from samples.records import Placement, segment_records
from samples.snapshot import build_ids

SHAPE = SampleShape(segments=8, megabytes=1.6, dim=16, l0_segments=2)
MANIFESTS = [segment.manifest for segment in sample_segments(SHAPE)]
CHANNEL = "by-dev-rootcoord-dml_9_444v0"
INDEXES = {"embedding_hnsw": 1, "thumbnail_flat": 2, "title_trie": 3, "stock_sorted": 4, "price_inverted": 5}


def builds(manifest: SegmentManifest) -> dict[int, int]:
    return {build: 2**40 + number for number, build in enumerate(sorted(build_ids([manifest])))}


def partition(manifest: SegmentManifest) -> int:
    return -1 if manifest.partition_id == -1 else 555


def expected_place(manifest: SegmentManifest) -> Placement:
    def position(timestamp: int) -> MsgPosition:
        return MsgPosition(channel_name=CHANNEL, msgID=b"cp", msgGroup="dn", timestamp=timestamp)

    return Placement(
        meta="by-dev/meta",
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


def mapping(manifest: SegmentManifest) -> Callable[[str], str]:
    move = Relocation(
        source_root=SHAPE.root,
        target_root="copies",
        collection_id=444,
        partition_id=partition(manifest),
        segment_id=666,
        builds=builds(manifest),
    )
    return lambda path: relocate(path, move)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: str(manifest.segment_id))
def test_paths_agree(manifest: SegmentManifest) -> None:
    expected = target_objects(manifest, expected_place(manifest), "copies")
    move = mapping(manifest)
    assert {move(source): source for source in expected.values()} == expected


@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: str(manifest.segment_id))
def test_records_agree(manifest: SegmentManifest) -> None:
    target = SegmentTarget(
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
    expected = segment_records(manifest, expected_place(manifest))
    assert published_records(manifest, target, MetaKeys(), mapping(manifest)) == {
        key: message.SerializeToString(deterministic=True) for key, message in expected.items()
    }
