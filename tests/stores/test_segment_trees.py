"""What a StorageV3 segment holds, by its manifest and by a listing."""

import pytest

from formats.segment import SegmentManifest
from restore.errors import ObjectMissing, SnapshotCorrupt, UnsupportedFormat
from restore.plan import SegmentTree
from restore.seal import SealedObject
from samples.loon_manifest import Columns, Contents, container, plain
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from stores.segment_trees import SegmentTrees
from tests.formats.segment_samples import manifest

BASE = "files/insert_log/111/222/333"
BESIDE = "files/insert_log/111/222/lobs/105/_data"
FILES = ("_data/a.parquet", "_delta/9", "_stats/bloom_filter.100/7", "_index/hnsw/1/HNSW")
NAMED = Contents(
    [
        Columns((100,), {"_data/a.parquet": 5}, "parquet"),
        Columns((105,), {"../lobs/105/_data/x.vx": 5}, "vortex"),
    ],
    {"_delta/9": 1},
    {"bloom_filter.100": ["_stats/bloom_filter.100/7"]},
)
SEGMENT = manifest(storage_version=3, manifest_path=f'{{"ver":2,"base_path":"{BASE}"}}')


@pytest.fixture
def store() -> MemoryObjectStore:
    """A bucket with the segment, and with neighbours that are not its own."""
    store = MemoryObjectStore("b")
    for path in (*FILES, "_metadata/manifest-1.avro"):
        store.put(Location("b", f"{BASE}/{path}"), path.encode())
    store.put(Location("b", f"{BASE}/_metadata/manifest-2.avro"), plain(NAMED, sized=True))
    for key in (f"{BESIDE}/x.vx", f"{BESIDE}/stranger.vx", f"{BASE}3/_data/b.parquet"):
        store.put(Location("b", key), b"12345678")
    return store


def look(store: MemoryObjectStore, segment: SegmentManifest = SEGMENT) -> SegmentTree:
    return SegmentTrees(store, "b").look(segment)


def test_a_tree_is_all_below_the_folder_and_the_large_objects_that_are_named(
    store: MemoryObjectStore,
) -> None:
    tree = look(store)
    assert tree.named
    assert {each.key: each.kind for each in tree.objects} == {
        f"{BASE}/_data/a.parquet": "insert",
        f"{BASE}/_delta/9": "delta",
        f"{BASE}/_stats/bloom_filter.100/7": "stats",
        f"{BASE}/_index/hnsw/1/HNSW": "index",
        f"{BASE}/_metadata/manifest-1.avro": "manifest",
        f"{BASE}/_metadata/manifest-2.avro": "manifest",
        f"{BESIDE}/x.vx": "lob",
    }
    assert {each.size for each in tree.objects if each.kind in ("insert", "lob")} == {
        8,
        len("_data/a.parquet"),
    }


def test_what_only_shows_a_folder_is_no_object(store: MemoryObjectStore) -> None:
    """Consoles and sync tools leave empty objects whose keys end in a slash."""
    whole = look(store)
    for folder in ("", "_data/", "_index/hnsw/"):
        store.put(Location("b", f"{BASE}/{folder}"), b"")
    assert look(store) == whole


@pytest.mark.parametrize("key", [*(f"{BASE}/{path}" for path in FILES[:3]), f"{BESIDE}/x.vx"])
def test_what_is_named_must_be_there(store: MemoryObjectStore, key: str) -> None:
    store.delete("b", [key])
    with pytest.raises(ObjectMissing, match=f"s3://b/{key} is named by the manifest .*manifest-2.avro"):
        look(store)


def test_what_is_not_named_need_not_be_there(store: MemoryObjectStore) -> None:
    store.delete("b", [f"{BASE}/{FILES[3]}", f"{BASE}/_metadata/manifest-1.avro"])
    assert len(look(store).objects) == 5


def test_the_manifest_itself_must_be_there(store: MemoryObjectStore) -> None:
    store.delete("b", [f"{BASE}/_metadata/manifest-2.avro"])
    with pytest.raises(ObjectMissing, match=r"manifest-2\.avro of segment 333 is absent"):
        look(store)


def test_a_damaged_manifest_is_corrupt(store: MemoryObjectStore) -> None:
    store.put(Location("b", f"{BASE}/_metadata/manifest-2.avro"), b"damaged")
    with pytest.raises(SnapshotCorrupt, match=r"s3://b/.*manifest-2\.avro"):
        look(store)


def test_with_an_unknown_layout_nothing_tells_whether_all_is_there(store: MemoryObjectStore) -> None:
    store.put(
        Location("b", f"{BASE}/_metadata/manifest-2.avro"), container(NAMED, ["../lobs/105/_data/x.vx"])
    )
    store.delete("b", [f"{BASE}/_data/a.parquet"])
    tree = look(store)
    assert not tree.named
    assert f"{BESIDE}/x.vx" in {each.key for each in tree.objects}


def test_a_pointer_to_nothing_committed_is_unsupported(store: MemoryObjectStore) -> None:
    nothing = SEGMENT.model_copy(update={"manifest_path": f'{{"ver":0,"base_path":"{BASE}"}}'})
    with pytest.raises(UnsupportedFormat, match="ver 0"):
        look(store, nothing)


@pytest.mark.parametrize(
    "segment", [manifest(), manifest(storage_version=3)], ids=["packed", "deletes of all partitions"]
)
def test_other_segments_have_no_tree(store: MemoryObjectStore, segment: SegmentManifest) -> None:
    assert look(store, segment) == SegmentTree()


@pytest.mark.parametrize("changed", [False, True])
def test_a_manifest_is_held_against_its_seal_before_it_is_read(
    store: MemoryObjectStore, changed: bool
) -> None:
    at = Location("b", f"{BASE}/_metadata/manifest-2.avro")
    content = store.content(at)
    seal = SealedObject(key=at.key, size=content.stat.size, etag="e", sha256=content.sha256)
    if not changed:
        assert SegmentTrees(store, "b").look(SEGMENT, [seal]) == look(store)
        return
    store.put(at, plain(Contents(NAMED.columns[:1], {}, {}), sized=True))
    assert look(store).named
    with pytest.raises(SnapshotCorrupt, match=f"{at} has .* as the snapshot's seal recorded"):
        SegmentTrees(store, "b").look(SEGMENT, [seal])
