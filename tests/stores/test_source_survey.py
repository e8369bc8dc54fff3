from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from formats.descriptor import MAGIC
from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import SegmentPlan
from restore.seal import SealedObject
from samples.collection import sample_segment
from samples.shape import SampleShape
from stores.inventory import Inventory
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from stores.source_survey import SourceSurvey
from tests.formats.segment_samples import TARGET

SAMPLES = [sample_segment(SampleShape(segments=2, megabytes=0.1, dim=4), number) for number in range(2)]
SEGMENTS = [SegmentPlan(source=each.manifest, target=TARGET) for each in SAMPLES]


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def store() -> MemoryObjectStore:
    made = MemoryObjectStore("b")
    for sample in SAMPLES:
        for key, body in sample.objects.items():
            made.put(Location("b", key), body)
    return made


def a_key(kind: str) -> str:
    return next(key for each, key, _ in SEGMENTS[1].named_objects() if each == kind)


def test_every_object_is_found_as_it_is(store: MemoryObjectStore, threads: Executor) -> None:
    looked = SourceSurvey(store, "b", threads).look(SEGMENTS)
    for segment, sample in zip(looked, SAMPLES, strict=True):
        assert {each.key: each.size for each in segment.found} == {
            key: len(body) for key, body in sample.objects.items()
        }
        assert all(each.etag == store.stat(Location("b", each.source)).etag for each in segment.objects())  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("kind", ["insert", "index"])
def test_an_object_that_is_absent_or_of_another_size_is_named(
    store: MemoryObjectStore, threads: Executor, kind: str
) -> None:
    at = Location("b", a_key(kind))
    store.put(at, store.get(at) + b"x")
    with pytest.raises(ObjectMismatch, match=at.key.rpartition("/")[2]):
        SourceSurvey(store, "b", threads).look(SEGMENTS)
    store.delete("b", [at.key])
    with pytest.raises(ObjectMissing, match=f"{kind} object {at} is named"):
        SourceSurvey(store, "b", threads).look(SEGMENTS)


def test_what_was_written_anew_since_is_not_what_was_found(
    store: MemoryObjectStore, threads: Executor
) -> None:
    at = Location("b", a_key("index"))
    planned = SourceSurvey(store, "b", threads).look(SEGMENTS)[1]
    store.put(at, store.get(at)[::-1])
    now = Inventory.take(store, "b", [at.key], threads)
    index = next(each for each in planned.objects() if each.source == at.key)
    with pytest.raises(
        ObjectMismatch, match=f"index object {at} has ETag .* found when this restore was planned"
    ):
        now.source_of(index)
    assert now.source_of(index.model_copy(update={"etag": None})).key == at.key


def test_an_upload_in_parts_since_is_another_object_unless_a_seal_knows_its_content(
    store: MemoryObjectStore, threads: Executor
) -> None:
    at = Location("b", a_key("index"))
    planned = SourceSurvey(store, "b", threads).look(SEGMENTS)[1]
    now = Inventory.take(store, "b", [at.key], threads)
    index = next(each for each in planned.objects() if each.source == at.key)
    in_parts = index.model_copy(update={"etag": "0-2"})
    with pytest.raises(ObjectMismatch, match="written anew"):
        now.source_of(in_parts)
    assert now.source_of(in_parts.model_copy(update={"sha256": "h"})).key == at.key


def test_sealed_segments_are_held_against_their_seal_alone(
    store: MemoryObjectStore, threads: Executor
) -> None:
    stats = [stat for stat in store.scan("b", "") if stat.key in SAMPLES[1].objects]
    seal = tuple(SealedObject(key=each.key, size=each.size, etag=each.etag, sha256="h") for each in stats)
    sealed = SEGMENTS[1].model_copy(update={"sealed": seal})
    assert SourceSurvey(store, "b", threads).look([sealed]) == (sealed,)
    at = Location("b", a_key("insert"))
    store.put(at, store.get(at)[::-1])
    with pytest.raises(ObjectMismatch, match=f"{at} has ETag .* as the snapshot's seal recorded"):
        SourceSurvey(store, "b", threads).look([sealed])


def doubtful(segment: SegmentPlan, recorded: int) -> SegmentPlan:
    """The segment with sizes recorded of its insert logs that are those of rows in memory."""
    fields = tuple(
        field.model_copy(
            update={
                "binlogs": tuple(
                    log.model_copy(update={"log_size": recorded, "memory_size": recorded})
                    for log in field.binlogs
                )
            }
        )
        for field in segment.source.binlog_files
    )
    return segment.model_copy(update={"source": segment.source.model_copy(update={"binlog_files": fields})})


def test_a_log_sized_in_memory_is_held_to_where_its_own_header_says_that_it_ends(
    store: MemoryObjectStore, threads: Executor
) -> None:
    segments = [SEGMENTS[0], doubtful(SEGMENTS[1], recorded=99_999)]
    (_, looked) = SourceSurvey(store, "b", threads).look(segments)
    at = Location("b", a_key("insert"))
    assert {each.key: each.size for each in looked.found}[at.key] == len(store.get(at))

    store.put(at, store.get(at)[:-1])
    with pytest.raises(ObjectMismatch, match=f"insert object {at} has .* expected 99999 as its segment's"):
        SourceSurvey(store, "b", threads).look(segments)


def test_where_no_recorded_size_of_an_index_is_its_files_the_files_say_whether_they_are_whole(
    store: MemoryObjectStore, threads: Executor
) -> None:
    segments = []
    for segment in SEGMENTS:
        indexes = tuple(each.model_copy(update={"serialized_size": 7}) for each in segment.source.index_files)
        source = segment.source.model_copy(update={"index_files": indexes})
        segments.append(segment.model_copy(update={"source": source}))
    survey = SourceSurvey(store, "b", threads)
    survey.look(segments)
    builds = [each for segment in SEGMENTS for each in segment.source.index_files if each.index_file_paths]
    assert survey.doubted == len(builds) > 0
    assert "expected 7 as its manifest recorded" in survey.first_doubt

    at = next(
        Location("b", key) for each in builds for key in each.index_file_paths if _is_binlog(store, key)
    )
    store.put(at, store.get(at) + b"\0")
    with pytest.raises(
        ObjectMismatch, match=f"index object {at} of .* does not end where its own header says"
    ):
        SourceSurvey(store, "b", threads).look(segments)


def _is_binlog(store: MemoryObjectStore, key: str) -> bool:
    return store.get(Location("b", key)).startswith(MAGIC)
