import pytest
from google.protobuf.message import Message

from formats.keys import MetaKeys
from formats.proto import etcd_pb2, index_pb2, schema_pb2
from restore.errors import TargetNotFound, UnsupportedFormat
from stores.catalog import read_collection
from stores.memory import MemoryMetadataStore
from tests.stores.catalog_samples import (
    KEYS,
    TOMBSTONE,
    collection,
    database,
    names,
    parts,
    present_day,
    put,
    read,
    text,
)


@pytest.fixture
def store() -> MemoryMetadataStore:
    return present_day()


def test_a_collection_is_put_together_from_all_its_records(store: MemoryMetadataStore) -> None:
    found = read(store)
    assert (found.id, found.name, found.database_id) == (444, "books", 1)
    assert found.schema.enable_dynamic_field
    assert names(found) == ["low", "id", "title"]
    assert [each.name for each in found.schema.struct_array_fields] == ["parts"]
    assert [each.name for each in found.schema.functions] == ["bm25"]
    assert found.shards == 2
    assert found.vchannels == ("dml_9_444v0", "dml_10_444v1")
    assert found.partitions == {"_default": 555, "new": 556}
    assert [(each.indexID, each.index_name) for each in found.indexes] == [(777, "vec")]
    assert found.start_positions == {"dml_9": b"\x01"}
    assert found.properties == {"collection.ttl.seconds": "60"}


def test_a_neighbour_whose_id_begins_alike_is_not_mixed_in(store: MemoryMetadataStore) -> None:
    put(
        store,
        {KEYS.collection(1, 4445): collection(4445, "other"), KEYS.field(4445, 109): text(109, "alien")},
    )
    put(store, {KEYS.partition(4445, 1): etcd_pb2.PartitionInfo(partitionID=1, partitionName="alien")})
    assert "alien" not in names(read(store))
    assert "alien" not in read(store).partitions


def test_the_default_database_needs_no_record() -> None:
    store = MemoryMetadataStore()
    put(store, {KEYS.collection(1, 444): collection()})
    assert read(store).database_id == 1


def test_another_database_has_collections_of_its_own(store: MemoryMetadataStore) -> None:
    put(store, {KEYS.database(7): database(7, "shop"), KEYS.collection(7, 500): collection(500)})
    assert read(store, database="shop").id == 500
    assert read(store, database="shop").database_id == 7
    assert read(store).id == 444


def test_an_absent_database_is_told_with_those_that_exist(store: MemoryMetadataStore) -> None:
    put(
        store,
        {
            KEYS.database(7): database(7, "shop"),
            KEYS.database(8): database(8, "gone", etcd_pb2.DatabaseDropping),
            KEYS.database(9): TOMBSTONE,
        },
    )
    with pytest.raises(TargetNotFound, match=r"'store'.* default, shop;"):
        read(store, database="store")
    with pytest.raises(TargetNotFound, match="'gone'"):
        read(store, database="gone")


def test_an_absent_collection_is_told_with_ten_of_those_that_exist(store: MemoryMetadataStore) -> None:
    put(store, {KEYS.collection(1, number): collection(number, f"c{number}") for number in range(500, 512)})
    with pytest.raises(
        TargetNotFound, match=r"'missing' .*'default'.* books, c500, .*, c508 and 3 more;"
    ) as raised:
        read(store, "missing")
    assert "c509" not in str(raised.value)


def test_an_empty_database_is_told_so() -> None:
    with pytest.raises(TargetNotFound, match="which has none"):
        read(MemoryMetadataStore())


def test_an_alias_is_no_target_and_names_its_collection(store: MemoryMetadataStore) -> None:
    put(store, {KEYS.alias(1, "latest"): etcd_pb2.AliasInfo(alias_name="latest", collection_id=444)})
    with pytest.raises(TargetNotFound, match=r"'latest'.* alias of collection 'books'"):
        read(store, "latest")


@pytest.mark.parametrize(
    "alias",
    [TOMBSTONE, etcd_pb2.AliasInfo(alias_name="latest", collection_id=444, state=etcd_pb2.AliasDropping)],
)
def test_a_dropped_alias_is_just_absent(store: MemoryMetadataStore, alias: Message | bytes) -> None:
    put(store, {KEYS.alias(1, "latest"): alias})
    with pytest.raises(TargetNotFound) as raised:
        read(store, "latest")
    assert "alias" not in str(raised.value)


@pytest.mark.parametrize(
    "value",
    [
        TOMBSTONE,
        collection(state=etcd_pb2.CollectionCreating),
        collection(state=etcd_pb2.CollectionDropping),
        collection(state=etcd_pb2.CollectionDropped),
    ],
)
def test_a_collection_that_is_not_created_is_absent(
    store: MemoryMetadataStore, value: Message | bytes
) -> None:
    put(store, {KEYS.collection(1, 444): value})
    with pytest.raises(TargetNotFound, match="which has none"):
        read(store)


def test_a_recreated_collection_is_found_beside_the_dropped_one(store: MemoryMetadataStore) -> None:
    put(store, {KEYS.collection(1, 444): collection(state=etcd_pb2.CollectionDropping)})
    put(store, {KEYS.collection(1, 445): collection(445)})
    assert read(store).id == 445


def test_of_two_collections_of_a_name_the_newest_is_meant(store: MemoryMetadataStore) -> None:
    put(store, {KEYS.collection(1, 443): collection(443, create_time=200)})
    put(store, {KEYS.collection(1, 445): collection(445, create_time=50)})
    assert read(store).id == 443


def test_dropped_parts_are_left_out(store: MemoryMetadataStore) -> None:
    dropping = text(104, "gone")
    dropping.state = schema_pb2.FieldDropping
    put(
        store,
        {
            KEYS.field(444, 101): TOMBSTONE,
            KEYS.field(444, 104): dropping,
            KEYS.partition(444, 556): TOMBSTONE,
            KEYS.partition(444, 557): etcd_pb2.PartitionInfo(
                partitionID=557, partitionName="half", state=etcd_pb2.PartitionCreating
            ),
            KEYS.function(444, 1000): TOMBSTONE,
            KEYS.struct_array_field(444, 102): TOMBSTONE,
            KEYS.field_index(444, 778): index_pb2.FieldIndex(
                index_info=index_pb2.IndexInfo(indexID=778, index_name="old"), deleted=True
            ),
        },
    )
    found = read(store)
    assert names(found) == ["low", "id"]
    assert found.partitions == {"_default": 555}
    assert not found.schema.functions
    assert not found.schema.struct_array_fields
    assert [each.index_name for each in found.indexes] == ["vec"]


def test_copies_for_time_travel_are_never_read(store: MemoryMetadataStore) -> None:
    copies = {
        key.replace("/meta/", "/meta/snapshots/") + "_ts457": value for key, value in parts(445).items()
    }
    copies["by-dev/meta/snapshots/root-coord/database/collection-info/1/445_ts457"] = collection(445, "past")
    copies["by-dev/meta/snapshots/root-coord/fields/444/105_ts457"] = text(105, "past")
    put(store, copies)
    assert "past" not in names(read(store))
    with pytest.raises(TargetNotFound):
        read(store, "past")


def test_a_record_that_cannot_be_read_is_named(store: MemoryMetadataStore) -> None:
    put(store, {KEYS.field(444, 100): b"\xff\xff\xff"})
    with pytest.raises(UnsupportedFormat, match=KEYS.field(444, 100)):
        read(store)


def test_another_root_is_another_cluster(store: MemoryMetadataStore) -> None:
    with pytest.raises(TargetNotFound):
        read_collection(store, MetaKeys("by-test"), "default", "books")
