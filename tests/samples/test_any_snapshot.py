"""Whatever a snapshot holds: where its objects go and which records are written, by product and by proof."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from typing import get_args

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formats.census import SegmentCensus
from formats.keys import MetaKeys
from formats.paths import Relocation, relocate
from formats.proto.msg_pb2 import MsgPosition
from formats.records import published_records
from restore.placement import Placement as PlannedPlacement
from restore.plan import SegmentPlan
from restore.rehearsal import rehearse
from samples.catalog import target_collection
from samples.collection import SampleSegment, sample_segments
from samples.object_proof import target_objects
from samples.records import Placement, segment_records
from samples.schema import definitions
from samples.shape import FormatVersion, Oddity, SampleShape, StorageVersion
from samples.snapshot import metadata_key, snapshot_files
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from stores.segment_trees import SegmentTrees
from stores.snapshots import open_snapshot

NOW = 1_790_000_000
ROOTS = st.sampled_from(["files", "", "a/b"])
SHAPES = st.builds(
    SampleShape,
    segments=st.integers(1, 4),
    l0_segments=st.integers(0, 3),
    partitions=st.integers(1, 3),
    shards=st.integers(1, 12),
    megabytes=st.just(0.05),
    dim=st.integers(2, 8),
    seed=st.integers(0, 2**32),
    storage_versions=st.lists(st.sampled_from(get_args(StorageVersion)), min_size=1, max_size=5).map(tuple),
    oddities=st.dictionaries(st.integers(0, 3), st.sampled_from(get_args(Oddity)), max_size=4),
    format_version=st.sampled_from(get_args(FormatVersion)),
    full_text=st.booleans(),
    large_text=st.booleans(),
    root=ROOTS,
    collection_id=st.one_of(st.integers(1, 2**20), st.integers(2**62, 2**63 - 10**5)),
    born_ms=st.integers(10**12, 2**46 - 10**8),
)


def stored(shape: SampleShape) -> tuple[MemoryObjectStore, list[SampleSegment]]:
    store, segments = MemoryObjectStore("b"), list(sample_segments(shape))
    for segment in segments:
        for key, body in segment.objects.items():
            store.put(Location("b", key), body)
    for key, body in snapshot_files(shape, [segment.manifest for segment in segments]).items():
        store.put(Location("b", key), body)
    return store, segments


def planned(shape: SampleShape, store: MemoryObjectStore, root: str) -> list[SegmentPlan]:
    """What the product plans, from the snapshot as it is stored."""
    snapshot = open_snapshot(store, "b", metadata_key(shape))
    target = target_collection(shape, collection="copy", database="default")
    by_shard = dict(zip(shape.virtual_channels, target.virtual_channels, strict=True))
    placement = PlannedPlacement(
        collection_id=target.collection_id,
        partitions={number: target.partition_ids[name] for name, number in shape.partition_ids.items()},
        channels=by_shard,
        positions=dict.fromkeys(by_shard.values(), (b"cp", "dn", 3)),
        index_ids={each.name: target.index_id(number) for number, each in enumerate(definitions(shape))},
        created_at=NOW,
    )
    ids, census, trees = (
        count(2**40),
        SegmentCensus(snapshot.metadata, snapshot.roots),
        SegmentTrees(store, "b"),
    )
    plans = []
    with ThreadPoolExecutor(1) as threads:
        for manifest in snapshot.manifests(store, threads):
            admitted = census.admit(manifest)
            plan = placement.place(
                admitted, trees.look(admitted), lambda wanted: [next(ids) for _ in range(wanted)]
            )
            rehearse(plan, source_root=snapshot.roots.data_root, target_root=root)
            plans.append(plan)
    census.close()
    return plans


def expected(plan: SegmentPlan, shape: SampleShape, root: str) -> Placement:
    """Where the proof wants the segment, given the ids that the plan chose."""
    target = target_collection(shape, collection="copy", database="default")
    partitions = {number: target.partition_ids[name] for name, number in shape.partition_ids.items()}
    source = plan.source
    channel = target.virtual_channels[shape.virtual_channels.index(source.channel_name)]

    def position(timestamp: int) -> MsgPosition:
        return MsgPosition(
            channel_name=channel, msgID=b"cp", msgGroup="dn", timestamp=timestamp, WAL_name="Kafka"
        )

    return Placement(
        meta="by-dev/meta",
        root=root,
        collection=target.collection_id,
        partition=partitions.get(source.partition_id, -1),
        segment=plan.target.segment_id,
        channel=channel,
        start=position(source.start_position.timestamp),
        dml=position(source.dml_position.timestamp),
        builds=plan.target.builds,
        indexes={each.name: target.index_id(number) for number, each in enumerate(definitions(shape))},
        indexed_at=NOW,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHAPES, ROOTS)
def test_product_and_proof_agree_on_every_object_and_record(shape: SampleShape, root: str) -> None:
    store, segments = stored(shape)
    plans = planned(shape, store, root)
    assert [plan.source for plan in plans] == [segment.manifest for segment in segments]
    for plan, segment in zip(plans, segments, strict=True):
        ids = (plan.target.collection_id, plan.target.partition_id, plan.target.segment_id)
        move = Relocation(shape.root, root, *ids, plan.target.builds)
        at = expected(plan, shape, root)
        objects = {relocate(key, move): key for _, key, _ in plan.named_objects()}
        assert objects == target_objects(segment.manifest, segment.objects, at)
        assert sorted(objects.values()) == sorted(segment.objects)
        records = published_records(plan.source, plan.target, MetaKeys(), partial(relocate, move=move))
        wanted = segment_records(segment.manifest, at)
        assert records == {key: each.SerializeToString(deterministic=True) for key, each in wanted.items()}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SHAPES)
def test_new_ids_are_used_once_and_are_never_the_sources(shape: SampleShape) -> None:
    store, segments = stored(shape)
    plans = planned(shape, store, "files")
    new = [each for plan in plans for each in (plan.target.segment_id, *plan.target.builds.values())]
    own = {segment.manifest.segment_id for segment in segments} | {
        build for plan in plans for build in plan.target.builds
    }
    assert len(new) == len(set(new))
    assert own.isdisjoint(new)
    assert 0 not in own
