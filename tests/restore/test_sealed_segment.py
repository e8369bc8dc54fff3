import pytest

from restore.errors import ObjectMissing, SnapshotCorrupt
from restore.plan import ListedObject, SegmentPlan, SegmentTree, segment_objects
from restore.seal import SealedObject, SealedSegment
from restore.sealed_segment import bind, left_out
from tests.formats.segment_samples import TARGET, V3, manifest
from tests.restore.plans import plan

BASE = "files/insert_log/111/222/333"
FOLDER = (
    ListedObject(kind="manifest", key=f"{BASE}/_metadata/manifest-2.avro", size=7),
    ListedObject(kind="insert", key=f"{BASE}/_data/0.parquet", size=8),
)


def planned(*more: ListedObject) -> SegmentPlan:
    return SegmentPlan(source=manifest(**V3), target=TARGET, tree=SegmentTree(objects=(*FOLDER, *more)))


def sealed(segment: SegmentPlan, *, without: str = "") -> SealedSegment:
    keys = [key for _, key, _ in segment_objects(segment.source, segment.tree) if key != without]
    objects = [SealedObject(key=key, size=len(key), etag=f"e-{key}", sha256=f"h-{key}") for key in keys]
    return SealedSegment(segment_id=333, manifest=objects[0], objects=tuple(objects))


def test_the_facts_of_the_seal_are_those_of_the_planned_objects() -> None:
    bound, later = bind(planned(), sealed(planned()))
    objects = list(plan().objects(bound))
    assert later == []
    assert len(objects) == len(list(plan().objects(planned())))
    assert all(
        (each.size, each.etag, each.sha256) == (len(each.source), f"e-{each.source}", f"h-{each.source}")
        for each in objects
    )


def test_what_came_into_the_folder_later_is_named_and_left_out() -> None:
    later = ListedObject(kind="manifest", key=f"{BASE}/_metadata/manifest-3.avro", size=9)
    bound, keys = bind(planned(later), sealed(planned()))
    assert keys == [later.key]
    assert later.key not in {each.source for each in plan().objects(bound)}
    assert f"{later.key} came after the snapshot was sealed" in str(left_out(keys))
    assert f"{later.key} and 2 more came" in str(left_out([later.key, "b", "c"]))
    assert left_out([]) is None


def test_a_sealed_object_that_is_gone_is_missed() -> None:
    short = SegmentPlan(source=manifest(**V3), target=TARGET, tree=SegmentTree(objects=FOLDER[:1]))
    with pytest.raises(ObjectMissing, match=f"{FOLDER[1].key} of segment 333 .* is absent"):
        bind(short, sealed(planned()))


def test_an_object_of_the_manifest_that_the_seal_lacks_is_named() -> None:
    lacking = "files/delta_log/111/222/333/44"
    with pytest.raises(SnapshotCorrupt, match=f"{lacking} is named by the manifest .* seal lacks it"):
        bind(planned(), sealed(planned(), without=lacking))
