import pytest
from google.protobuf.message import Message

from restore.errors import TargetNotFound
from stores.memory import MemoryMetadataStore
from tests.stores.catalog_samples import (
    KEYS,
    TOMBSTONE,
    collection,
    database,
    names,
    pair,
    present_day,
    put,
    read,
    text,
)


@pytest.fixture
def store() -> MemoryMetadataStore:
    return present_day()


def test_fields_inside_the_collections_record_are_read_too() -> None:
    stored = collection()
    stored.schema.fields.extend([text(101, "title"), text(100, "id")])
    stored.schema.functions.add(id=1, name="bm25")
    stored.schema.struct_array_fields.add(fieldID=102, name="parts")
    store = MemoryMetadataStore()
    put(store, {KEYS.collection(1, 444): stored})
    found = read(store)
    assert names(found) == ["id", "title"]
    assert found.schema.functions[0].name == "bm25"
    assert found.schema.struct_array_fields[0].name == "parts"


def test_keys_of_their_own_win_over_what_the_record_holds(store: MemoryMetadataStore) -> None:
    stored = collection(partitionIDs=[1], partitionNames=["stale"])
    stored.schema.fields.append(text(100, "stale"))
    put(store, {KEYS.collection(1, 444): stored})
    assert names(read(store)) == ["low", "id", "title"]
    assert "stale" not in read(store).partitions


def test_partitions_of_an_old_record_are_lists_inside_it() -> None:
    store = MemoryMetadataStore()
    stored = collection(partitionIDs=[555, 556], partitionNames=["_default", "new"])
    put(store, {KEYS.collection(1, 444): stored})
    assert read(store).partitions == {"_default": 555, "new": 556}


def test_a_record_without_a_shard_count_has_a_shard_per_channel() -> None:
    stored = collection()
    stored.shards_num = 0
    store = MemoryMetadataStore()
    put(store, {KEYS.collection(1, 444): stored})
    assert read(store).shards == 2


def test_properties_of_an_old_record_are_in_its_schema() -> None:
    stored = collection()
    del stored.properties[:]
    stored.schema.properties.append(pair("mmap.enabled", "true"))
    store = MemoryMetadataStore()
    put(store, {KEYS.collection(1, 444): stored})
    assert read(store).properties == {"mmap.enabled": "true"}


def test_a_collection_from_before_databases_belongs_to_the_default_one(store: MemoryMetadataStore) -> None:
    put(
        store,
        {KEYS.database(7): database(7, "shop"), KEYS.legacy_collection(300): collection(300, "old", db_id=0)},
    )
    assert read(store, "old").id == 300
    assert read(store, "old").database_id == 1
    with pytest.raises(TargetNotFound):
        read(store, "old", "shop")


@pytest.mark.parametrize("moved", [TOMBSTONE, collection(300, "renamed")])
def test_a_collection_that_moved_to_a_new_key_is_gone_from_the_old_one(
    store: MemoryMetadataStore, moved: Message | bytes
) -> None:
    put(store, {KEYS.legacy_collection(300): collection(300, "old"), KEYS.collection(1, 300): moved})
    with pytest.raises(TargetNotFound):
        read(store, "old")
