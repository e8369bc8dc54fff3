import gzip
import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache

import pytest

from restore.errors import AccessDenied, ObjectMismatch, ObjectMissing, SnapshotCorrupt
from restore.seal import SealedSegment, seal_key
from samples.collection import sample_segments
from samples.shape import SampleShape
from samples.snapshot import metadata_key, snapshot_files
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from stores.seal_check import SealCheck, SealDifference
from stores.sealing import SealCount, Sealer
from stores.seals import Seal
from stores.snapshots import open_snapshot

SHAPE = SampleShape(
    segments=3, l0_segments=1, partitions=2, megabytes=0.2, dim=4, storage_versions=(0, 2, 3), large_text=True
)
KEY = metadata_key(SHAPE)
BUCKET = "origin"


@cache
def bodies() -> dict[str, bytes]:
    """The sample with its snapshot, by key."""
    segments = list(sample_segments(SHAPE))
    objects = {key: body for each in segments for key, body in each.objects.items()}
    return {**objects, **snapshot_files(SHAPE, [each.manifest for each in segments])}


def content(store: MemoryObjectStore) -> dict[str, bytes]:
    return {stat.key: store.get(Location(BUCKET, stat.key)) for stat in store.scan(BUCKET, "")}


@pytest.fixture
def store() -> MemoryObjectStore:
    store = MemoryObjectStore(BUCKET)
    for key, body in bodies().items():
        store.put(Location(BUCKET, key), body)
    return store


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def sealer(store: MemoryObjectStore, threads: Executor, key: str = KEY) -> Sealer:
    opened = open_snapshot(store, BUCKET, key, ignore_seal=True)
    return Sealer(store, opened, lists=threads, reads=threads)


def seal_of(store: MemoryObjectStore, key: str = KEY) -> Seal:
    seal = Seal.read(store, Location(BUCKET, key))
    assert seal is not None
    return seal


def differences(store: MemoryObjectStore, threads: Executor) -> list[SealDifference]:
    return [each for each in SealCheck(store, seal_of(store), threads).differences() if each]


def sealed_hashes(store: MemoryObjectStore, key: str = KEY) -> dict[str, tuple[int, str]]:
    seal = seal_of(store, key)
    every = [seal.metadata]
    for segment in seal.segments():
        every += [segment.manifest, *segment.objects]
    return {each.key: (each.size, each.sha256) for each in every}


def a_key(part: str) -> str:
    return next(key for key in bodies() if part in key)


def test_every_object_of_the_snapshot_is_sealed_as_it_is(store: MemoryObjectStore, threads: Executor) -> None:
    header, count = sealer(store, threads).seal()
    expected = {key: (len(body), hashlib.sha256(body).hexdigest()) for key, body in bodies().items()}
    assert sealed_hashes(store) == expected
    assert count == SealCount(
        segments=SHAPE.all_segments, objects=len(expected), bytes=sum(size for size, _ in expected.values())
    )
    assert (header.snapshot, header.snapshot_id) == ("nightly", SHAPE.snapshot_id)


def test_nothing_but_the_seal_is_written_and_it_lies_beside_the_metadata(
    store: MemoryObjectStore, threads: Executor
) -> None:
    before = content(store)
    sealer(store, threads).seal()
    after = content(store)
    assert set(after) - set(before) == {seal_key(KEY)} == {KEY.removesuffix(".json") + ".seal.json.gz"}
    assert {key: after[key] for key in before} == before


def test_who_waits_hears_of_every_segment(store: MemoryObjectStore, threads: Executor) -> None:
    heard: list[SealCount] = []
    _, count = sealer(store, threads).seal(heard.append)
    assert [each.segments for each in heard] == [1, 2, 3, 4]
    assert heard[-1] == count


def test_a_whole_snapshot_differs_nowhere_from_its_seal(store: MemoryObjectStore, threads: Executor) -> None:
    sealer(store, threads).seal()
    assert differences(store, threads) == []


@pytest.mark.parametrize(
    "part", ["/metadata/", "/manifests/", "insert_log", "_metadata/", "/lobs/", "text_log"]
)
def test_a_check_names_what_is_missing_and_what_changed(
    store: MemoryObjectStore, threads: Executor, part: str
) -> None:
    sealer(store, threads).seal()
    key, body = a_key(part), bodies()[a_key(part)]
    for other, reason in ((body + b"\0", "bytes"), (bytes(len(body)), "SHA-256")):
        store.put(Location(BUCKET, key), other)
        (found,) = differences(store, threads)
        assert (found.key, found.verdict) == (key, "changed")
        assert reason in found.reason
    store.delete(BUCKET, [key])
    (gone,) = differences(store, threads)
    assert (gone.key, gone.verdict) == (key, "missing")


def test_a_check_names_what_came_into_a_sealed_folder_and_nothing_else(
    store: MemoryObjectStore, threads: Executor
) -> None:
    sealer(store, threads).seal()
    base = a_key("/_metadata/").partition("/_metadata/")[0]
    for key in (f"{base}/_metadata/manifest-99.avro", "files/insert_log/1/2/3/100/4"):
        store.put(Location(BUCKET, key), b"later")
    (found,) = differences(store, threads)
    assert (found.key, found.verdict) == (f"{base}/_metadata/manifest-99.avro", "added")


def test_a_snapshot_that_is_not_whole_is_not_sealed(store: MemoryObjectStore, threads: Executor) -> None:
    key = a_key("stats_log")
    store.put(Location(BUCKET, key), b"short")
    with pytest.raises(ObjectMismatch, match=f"{key} has 5 bytes, expected {len(bodies()[key])}"):
        sealer(store, threads).seal()
    store.delete(BUCKET, [key])
    with pytest.raises(ObjectMissing, match=f"{key} is named by the manifest of segment .* but is absent"):
        sealer(store, threads).seal()
    assert seal_key(KEY) not in content(store)


class ReadOnly(MemoryObjectStore):
    def check_writable(self, at: Location) -> None:
        raise AccessDenied("PutObject is refused")

    def content(self, at: Location) -> None:  # type: ignore[override]  # never reached
        raise AssertionError("an object was read although the seal could not have been stored")


def test_in_a_bucket_that_refuses_writes_nothing_is_read_in_vain(
    store: MemoryObjectStore, threads: Executor
) -> None:
    refusing = ReadOnly(beside=store, profile="backup")
    with pytest.raises(AccessDenied, match=f"profile 'backup' may not write to bucket '{BUCKET}'"):
        sealer(refusing, threads).seal()


def test_a_moved_bundle_keeps_its_seal(store: MemoryObjectStore, threads: Executor) -> None:
    sealer(store, threads).seal()
    whole = content(store)
    for key, body in whole.items():
        store.put(Location(BUCKET, f"moved/{key}"), body)
    store.delete(BUCKET, list(whole))
    moved = sealed_hashes(store, f"moved/{KEY}")
    assert set(moved) == {f"moved/{key}" for key in bodies()}


def test_a_sealed_snapshot_is_opened_with_its_seal(store: MemoryObjectStore, threads: Executor) -> None:
    assert open_snapshot(store, BUCKET, KEY).source.seal == ""
    sealer(store, threads).seal()
    opened = open_snapshot(store, BUCKET, KEY)
    assert opened.source.seal == hashlib.sha256(store.get(Location(BUCKET, seal_key(KEY)))).hexdigest()
    read = list(opened.read_manifests(store, threads))
    assert [each.manifest.segment_id for each in read] == [
        each.sealed.segment_id for each in read if each.sealed
    ]


@pytest.mark.parametrize("part", ["/metadata/", "/manifests/"])
def test_a_file_of_the_snapshot_that_is_not_as_sealed_is_corrupt(
    store: MemoryObjectStore, threads: Executor, part: str
) -> None:
    sealer(store, threads).seal()
    key, body = a_key(part), bodies()[a_key(part)]
    store.put(Location(BUCKET, key), body + b"\n")
    with pytest.raises(SnapshotCorrupt, match=f"s3://{BUCKET}/{key} has {len(body) + 1} bytes with SHA-256"):
        list(open_snapshot(store, BUCKET, KEY).manifests(store, threads))


def rewritten(store: MemoryObjectStore, lines: list[str]) -> None:
    store.put(Location(BUCKET, seal_key(KEY)), gzip.compress("".join(lines).encode()))


@pytest.mark.parametrize(
    "damage", ["empty", "truncated", "flipped", "no gzip", "fewer", "more", "other order"]
)
def test_a_damaged_seal_is_not_relied_on(store: MemoryObjectStore, threads: Executor, damage: str) -> None:
    sealer(store, threads).seal()
    at = Location(BUCKET, seal_key(KEY))
    body = store.get(at)
    lines = gzip.decompress(body).decode().splitlines(keepends=True)
    one_more = SealedSegment.model_validate_json(lines[-1]).model_dump_json() + "\n"
    if damage == "empty":
        rewritten(store, [])
    elif damage == "truncated":
        store.put(at, body[: len(body) // 2])
    elif damage == "flipped":
        store.put(at, body[:200] + bytes([body[200] ^ 1]) + body[201:])
    elif damage == "no gzip":
        store.put(at, b"{}")
    elif damage == "fewer":
        rewritten(store, lines[:-1])
    elif damage == "more":
        rewritten(store, [*lines, one_more])
    else:
        rewritten(store, [lines[0], *reversed(lines[1:])])
    with pytest.raises(SnapshotCorrupt, match=f"the seal {at} cannot be relied on"):
        list(open_snapshot(store, BUCKET, KEY).manifests(store, threads))
