import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from restore.errors import SnapshotCorrupt
from restore.plan import SegmentPlan
from restore.source_objects import SnapshotFile
from stores.memory_objects import MemoryObjectStore
from stores.planned_snapshot import PlannedSnapshot
from stores.ports import Location
from tests.formats.segment_samples import TARGET, manifest
from tests.restore.plans import plan, snapshot

METADATA = snapshot().key
MANIFESTS = [f"files/snapshots/111/manifests/999/{number}.avro" for number in range(3)]
SEGMENTS = [
    SegmentPlan(
        source=manifest(),
        target=TARGET,
        file=SnapshotFile(key=key, sha256=hashlib.sha256(key.encode()).hexdigest()),
    )
    for key in MANIFESTS
]


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture
def store() -> MemoryObjectStore:
    made = MemoryObjectStore("origin")
    for key in (METADATA, *MANIFESTS):
        made.put(Location("origin", key), key.encode())
    return made


def look(store: MemoryObjectStore, threads: Executor, check: Callable[[], None] = lambda: None) -> None:
    etag = hashlib.md5(METADATA.encode(), usedforsecurity=False).hexdigest()
    planned = plan().model_copy(update={"snapshot": snapshot().model_copy(update={"etag": etag})})
    PlannedSnapshot(store, planned, threads).require_unchanged(SEGMENTS, check)


def test_an_unchanged_snapshot_passes(store: MemoryObjectStore, threads: Executor) -> None:
    look(store, threads)


@pytest.mark.parametrize("key", [METADATA, MANIFESTS[2]], ids=["metadata", "manifest"])
@pytest.mark.parametrize("body", [None, b"", b"other"], ids=["absent", "empty", "changed"])
def test_a_file_that_is_no_longer_what_was_planned_from_is_named(
    store: MemoryObjectStore, threads: Executor, key: str, body: bytes | None
) -> None:
    if body is None:
        store.delete("origin", [key])
    else:
        store.put(Location("origin", key), body)
    with pytest.raises(SnapshotCorrupt, match=f"s3://origin/{key} .* nothing is published"):
        look(store, threads)


def test_plans_of_old_know_of_no_manifests(store: MemoryObjectStore, threads: Executor) -> None:
    store.delete("origin", MANIFESTS)
    old = [each.model_copy(update={"file": None}) for each in SEGMENTS]
    etag = hashlib.md5(METADATA.encode(), usedforsecurity=False).hexdigest()
    planned = plan().model_copy(update={"snapshot": snapshot().model_copy(update={"etag": etag})})
    PlannedSnapshot(store, planned, threads).require_unchanged(old, lambda: None)


def test_whoever_is_told_to_end_reads_no_further(store: MemoryObjectStore, threads: Executor) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        look(store, threads, stop)
