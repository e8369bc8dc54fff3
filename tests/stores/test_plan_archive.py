import gzip
import hashlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restore.errors import ObjectMismatch, ObjectMissing
from restore.plan import Chunk, ChunkEntry, Plan, PlanRef, SegmentPlan
from stores.memory_objects import MemoryObjectStore
from stores.plan_archive import PlanArchive
from stores.ports import Location
from tests.formats.segment_samples import TARGET, manifest
from tests.restore.plans import plan

BUCKET = "copies"
JOB = 2**40


def segment(number: int, rows: int = 1000) -> SegmentPlan:
    target = TARGET.model_copy(update={"segment_id": number})
    return SegmentPlan(source=manifest(num_of_rows=rows), target=target)


class Shelf:
    """A store with one archive; `other()` is that of another worker, which remembers nothing."""

    def __init__(self, root: str = "restored") -> None:
        self.store = MemoryObjectStore(BUCKET)
        self.root = root
        self.archive = self.other()

    def other(self) -> PlanArchive:
        return PlanArchive(self.store, BUCKET, self.root)

    def chunk(self, number: int, *segments: SegmentPlan) -> ChunkEntry:
        return self.archive.put_chunk(JOB, number, Chunk(segments=segments), objects=7 + number, size=100)

    def file(self) -> PlanRef:
        """A plan of two tasks: of segments 1 and 2 in two chunks, and of 3 and 4 in one."""
        first, second, third = (
            self.chunk(0, segment(1)),
            self.chunk(1, segment(2)),
            self.chunk(2, segment(3), segment(4)),
        )
        return self.archive.put_plan(
            plan().model_copy(update={"job_id": JOB, "tasks": ((first, second), (third,))})
        )

    def listed(self) -> list[str]:
        return [stat.key for stat in self.store.scan(BUCKET, "")]

    def body(self, key: str) -> bytes:
        return self.store.get(Location(BUCKET, key))

    def put(self, key: str, body: bytes) -> None:
        self.store.put(Location(BUCKET, key), body)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def ids(segments: Any) -> list[int]:
    return [each.target.segment_id for each in segments]


def test_a_plan_lies_below_its_jobs_folder(shelf: Shelf) -> None:
    shelf.file()
    folder = f"restored/restores/{JOB}"
    assert shelf.listed() == [
        f"{folder}/plan.json.gz",
        f"{folder}/plan/000000.json.gz",
        f"{folder}/plan/000001.json.gz",
        f"{folder}/plan/000002.json.gz",
    ]


def test_without_a_root_path_keys_begin_with_the_folder() -> None:
    shelf = Shelf(root="")
    shelf.file()
    assert all(key.startswith(f"restores/{JOB}/") for key in shelf.listed())


def test_a_reference_tells_the_totals_and_the_digest(shelf: Shelf) -> None:
    ref = shelf.file()
    assert (ref.tasks, ref.segments, ref.rows, ref.objects, ref.bytes) == (2, 4, 4000, 7 + 8 + 9, 300)
    assert (ref.job_id, ref.collection_id, ref.snapshot_name) == (str(JOB), "444", "nightly")
    assert ref.digest == hashlib.sha256(shelf.body(ref.key)).hexdigest()


def test_an_entry_names_the_stored_bytes(shelf: Shelf) -> None:
    entry = shelf.chunk(3, segment(1, rows=5), segment(2, rows=6))
    assert entry.digest == hashlib.sha256(shelf.body(entry.key)).hexdigest()
    assert (entry.segments, entry.rows, entry.objects, entry.bytes) == (2, 11, 10, 100)


def test_another_worker_reads_what_was_stored(shelf: Shelf) -> None:
    ref = shelf.file()
    other = shelf.other()
    assert other.plan(ref) == shelf.archive.plan(ref)
    assert ids(other.segments(ref, 0)) == [1, 2]
    assert ids(other.segments(ref, 1)) == [3, 4]
    assert ids(other.all_segments(ref)) == [1, 2, 3, 4]
    assert next(other.segments(ref, 0)) == segment(1)


def test_equal_plans_are_equal_bytes() -> None:
    one, other = Shelf(), Shelf()
    assert one.file() == other.file()
    assert [one.body(key) for key in one.listed()] == [other.body(key) for key in other.listed()]


def test_a_plan_is_found_by_its_job(shelf: Shelf) -> None:
    ref = shelf.file()
    assert shelf.other().find(JOB) == ref
    assert shelf.archive.find(JOB + 1) is None


def test_chunks_alone_are_no_plan(shelf: Shelf) -> None:
    shelf.chunk(0, segment(1))
    assert shelf.archive.find(JOB) is None


def test_a_changed_header_is_refused_by_name(shelf: Shelf) -> None:
    ref = shelf.file()
    shelf.put(ref.key, gzip.compress(shelf.archive.plan(ref).model_dump_json(indent=1).encode()))
    with pytest.raises(
        ObjectMismatch, match=f"s3://{BUCKET}/{ref.key} has SHA-256 .*, expected {ref.digest[:16]}"
    ):
        shelf.other().plan(ref)


def test_a_changed_chunk_is_refused_by_name(shelf: Shelf) -> None:
    ref = shelf.file()
    key = next(shelf.archive.plan(ref).chunks).key
    shelf.put(key, gzip.compress(Chunk(segments=()).model_dump_json().encode()))
    other = shelf.other()
    with pytest.raises(ObjectMismatch, match=f"s3://{BUCKET}/{key} has SHA-256"):
        list(other.segments(ref, 0))
    with pytest.raises(ObjectMismatch, match=f"s3://{BUCKET}/{key} has SHA-256"):
        list(other.all_segments(ref))
    assert ids(other.segments(ref, 1)) == [3, 4]


def test_a_removed_chunk_is_missed_by_name(shelf: Shelf) -> None:
    ref = shelf.file()
    key = list(shelf.archive.plan(ref).chunks)[-1].key
    shelf.store.delete(BUCKET, [key])
    with pytest.raises(ObjectMissing, match=f"s3://{BUCKET}/{key}"):
        list(shelf.other().segments(ref, 1))


def test_a_removed_header_is_missed_by_name(shelf: Shelf) -> None:
    ref = shelf.file()
    shelf.store.delete(BUCKET, [ref.key])
    with pytest.raises(ObjectMissing, match=f"s3://{BUCKET}/{ref.key}"):
        shelf.other().plan(ref)


FILED = Shelf()
HEADER = FILED.file().key
WHOLE = FILED.body(HEADER)


@given(st.integers(0, len(WHOLE) - 1))
def test_a_truncated_header_is_no_plan(length: int) -> None:
    FILED.put(HEADER, WHOLE[:length])
    with pytest.raises(ObjectMismatch, match=f"s3://{BUCKET}/{HEADER} is not a plan"):
        FILED.other().find(JOB)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_damaged_header_is_no_plan_or_still_the_same(at: int, flipped: int) -> None:
    """Flipped bits may hit what gzip does not check, such as the operating system's number."""
    FILED.put(HEADER, WHOLE[:at] + bytes([WHOLE[at] ^ flipped]) + WHOLE[at + 1 :])
    other = FILED.other()
    with suppress(ObjectMismatch):
        found = other.find(JOB)
        assert found is not None
        assert other.plan(found) == Plan.model_validate_json(gzip.decompress(WHOLE))
