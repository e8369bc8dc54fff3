import pytest
from pydantic import ValidationError

from formats.segment import FieldBinlog, SegmentManifest
from restore.plan import (
    ListedObject,
    Plan,
    PlannedObject,
    SegmentPlan,
    SegmentTree,
    named_objects,
)
from samples.collection import SampleSegment, sample_segment
from samples.shape import SampleShape
from tests.formats.segment_samples import TARGET, V3, index, log, logs, manifest
from tests.restore.plans import plan

SHAPE = SampleShape(segments=4, l0_segments=1, megabytes=0.2, dim=4, partitions=2)


@pytest.fixture(scope="module", params=range(SHAPE.all_segments))
def segment(request: pytest.FixtureRequest) -> SampleSegment:
    return sample_segment(SHAPE, request.param)


def keys(of: SegmentManifest) -> list[str]:
    return [key for _, key, _ in named_objects(of)]


def weight(of: SegmentManifest) -> int:
    return SegmentPlan(source=of, target=TARGET).bytes


def test_every_object_of_a_segment_is_named_exactly_once(segment: SampleSegment) -> None:
    named = keys(segment.manifest)
    assert sorted(named) == sorted(segment.objects)


def test_a_recorded_size_is_that_of_the_object(segment: SampleSegment) -> None:
    recorded = {key: size for _, key, size in named_objects(segment.manifest) if size is not None}
    assert recorded == {key: len(segment.objects[key]) for key in recorded}
    assert all("_log/" in key for key in recorded)


def test_the_bytes_of_a_segment_are_those_of_all_its_objects(segment: SampleSegment) -> None:
    assert weight(segment.manifest) == sum(map(len, segment.objects.values()))


def test_every_kind_is_named_and_each_in_the_order_of_the_manifest() -> None:
    names: dict[str, list[str]] = {}
    for kind, key, _ in named_objects(manifest(manifest_path="files/insert_log/111/222/333/m")):
        names.setdefault(kind, []).append(key.rpartition("/")[2])
    assert names == {
        "insert": ["41", "42"],
        "stats": ["43", "1"],
        "delta": ["44"],
        "bm25": ["45"],
        "index": ["HNSW_0", "SLICE_META"],
        "text": ["f_0"],
        "json": ["0"],
        "manifest": ["m"],
    }


def test_a_file_that_two_entries_name_is_one_object() -> None:
    twice = manifest(index_files=(index(), index(index_name="title")))
    assert keys(twice) == keys(manifest(index_files=(index(),)))


def test_a_log_without_a_path_is_no_object() -> None:
    unnamed = manifest(deltalog_files=(logs(0, "", "files/delta_log/111/222/333/44"),))
    assert keys(unnamed) == keys(manifest())


def test_a_log_of_unrecorded_size_has_none() -> None:
    unsized = logs(0).model_copy(update={"binlogs": (log("files/delta_log/111/222/333/44", log_size=0),)})
    sizes = {kind: size for kind, _, size in named_objects(manifest(deltalog_files=(unsized,)))}
    assert sizes["delta"] is None
    assert sizes["insert"] == 4096
    assert sizes["index"] is sizes["text"] is sizes["json"] is None


def test_a_packed_segment_has_its_own_manifest_as_an_object() -> None:
    own = "files/insert_log/111/222/333/manifest.json"
    assert ("manifest", own, None) in named_objects(manifest(manifest_path=own))


def test_a_segment_of_storage_version_0_has_no_manifest_object() -> None:
    kinds = {kind for kind, _, _ in named_objects(manifest(storage_version=0))}
    assert "manifest" not in kinds


def test_of_storage_version_3_the_listing_speaks_and_not_the_pointer() -> None:
    base = "files/insert_log/111/222/333"
    listed = ListedObject(kind="manifest", key=f"{base}/_metadata/manifest-2.avro", size=7)
    segment = SegmentPlan(source=manifest(**V3), target=TARGET, tree=SegmentTree(objects=(listed,)))
    named = list(segment.named_objects())
    assert ("manifest", listed.key, 7) in named
    assert {kind for kind, _, _ in named} == {"stats", "delta", "bm25", "index", "manifest"}


def test_an_object_that_manifest_and_listing_name_counts_once() -> None:
    twice = ListedObject(kind="stats", key="files/stats_log/111/222/333/100/43", size=4096)
    source = manifest(**V3)
    segment = SegmentPlan(source=source, target=TARGET, tree=SegmentTree(objects=(twice,)))
    assert len(list(segment.named_objects())) == len(keys(source))
    assert segment.bytes == weight(source)


def test_a_build_without_files_weighs_nothing() -> None:
    flat = manifest(index_files=(index(index_file_paths=()),))
    assert weight(manifest()) - weight(flat) == index().serialized_size


@pytest.mark.parametrize("memory", [0, 12_000], ids=["as 2.3 wrote it", "as later versions read that"])
def test_what_an_insert_log_weighs_in_memory_is_not_taken_for_its_objects_size(memory: int) -> None:
    written = log("files/insert_log/111/222/333/0/41", log_size=12_000, memory_size=memory)
    old = manifest(binlog_files=(FieldBinlog(field_id=0, binlogs=(written,)),))
    assert [size for kind, _, size in named_objects(old) if kind == "insert"] == [None]
    assert weight(old) - weight(manifest(binlog_files=())) == 12_000


def test_a_planned_object_tells_both_keys_and_the_recorded_size() -> None:
    planned = list(plan().objects(SegmentPlan(source=manifest(), target=TARGET)))
    assert planned[0] == PlannedObject(
        kind="insert",
        source="files/insert_log/111/222/333/0/41",
        target="restored/insert_log/444/555/666/0/41",
        size=4096,
    )
    assert {each.target for each in planned if each.kind in ("index", "text", "json")} == {
        "restored/index_files/2001/1/555/666/HNSW_0",
        "restored/index_files/2001/1/555/666/SLICE_META",
        "restored/text_log/2002/3/444/555/666/101/f_0",
        "restored/json_stats/2/2002/4/444/555/666/104/shredding_data/0",
    }


def test_objects_of_a_segment_go_to_as_many_places(segment: SampleSegment) -> None:
    builds = {build: build + 2**40 for build in range(SHAPE.segment_id(0), SHAPE.segment_id(5))}
    target = TARGET.model_copy(update={"builds": builds})
    planned = list(plan().objects(SegmentPlan(source=segment.manifest, target=target)))
    assert len({each.target for each in planned}) == len(segment.objects)
    assert all(each.target.startswith("restored/") for each in planned)


def test_a_plan_is_read_as_it_was_written() -> None:
    assert Plan.model_validate_json(plan().model_dump_json()) == plan()


def test_the_chunks_of_a_plan_are_those_of_its_tasks_in_order() -> None:
    assert [chunk.key for chunk in plan(2, 1, 3).chunks] == [f"chunk-{number}" for number in range(6)]


def test_a_plan_of_another_version_is_refused() -> None:
    newer = plan().model_dump_json().replace('"version":1', '"version":2')
    with pytest.raises(ValidationError):
        Plan.model_validate_json(newer)
