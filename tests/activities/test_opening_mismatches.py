from collections.abc import Callable

import pytest

from formats.proto.common_pb2 import KeyValuePair
from formats.proto.etcd_pb2 import CollectionInfo, PartitionInfo
from formats.proto.index_pb2 import FieldIndex
from formats.proto.schema_pb2 import DataType, FieldSchema
from restore.errors import TargetMismatch
from samples import schema
from samples.catalog import target_collection
from samples.root_coord import DEFAULT_DATABASE, CatalogCollection
from stores.ids import FIRST
from tests.activities.refusing import refused
from tests.activities.scene import TARGET, Scene

Spoil = Callable[[Scene, CatalogCollection], object]


def field_key(scene: Scene, number: int) -> str:
    return scene.keys.field(scene.collection, number)


def retype(scene: Scene, _: CatalogCollection) -> None:
    key = field_key(scene, schema.STOCK)
    field = FieldSchema.FromString(scene.value(key))
    field.data_type = DataType.Int32
    scene.put(key, field.SerializeToString())


def resize(scene: Scene, _: CatalogCollection) -> None:
    key = field_key(scene, schema.EMBEDDING)
    field = FieldSchema.FromString(scene.value(key))
    field.type_params[0].value = "8"
    scene.put(key, field.SerializeToString())


def renumber(scene: Scene, _: CatalogCollection) -> None:
    field = FieldSchema.FromString(scene.value(field_key(scene, schema.STOCK)))
    field.fieldID = 250
    scene.drop(field_key(scene, schema.STOCK))
    scene.put(field_key(scene, 250), field.SerializeToString())


def add_field(scene: Scene, _: CatalogCollection) -> None:
    field = FieldSchema(fieldID=300, name="extra", data_type=DataType.Bool)
    scene.put(field_key(scene, 300), field.SerializeToString())


def collection(scene: Scene, change: Callable[[CollectionInfo], object]) -> None:
    key = scene.keys.collection(DEFAULT_DATABASE, scene.collection)
    info = CollectionInfo.FromString(scene.value(key))
    change(info)
    scene.put(key, info.SerializeToString())


def reshard(info: CollectionInfo) -> None:
    info.shards_num = 1
    del info.virtual_channel_names[1:]
    del info.physical_channel_names[1:]


def without_dynamic_field(info: CollectionInfo) -> None:
    info.schema.enable_dynamic_field = False


def index_key(scene: Scene, catalog: CatalogCollection, number: int) -> str:
    return scene.keys.field_index(scene.collection, catalog.index_id(number))


def drop_index(scene: Scene, catalog: CatalogCollection) -> None:
    scene.drop(index_key(scene, catalog, schema.STOCK_INDEX))


def change_index(scene: Scene, catalog: CatalogCollection) -> None:
    key = index_key(scene, catalog, schema.EMBEDDING_INDEX)
    index = FieldIndex.FromString(scene.value(key))
    for pairs in (index.index_info.index_params, index.index_info.user_index_params):
        for pair in pairs:
            if pair.key == "metric_type":
                pair.value = "COSINE"
    scene.put(key, index.SerializeToString())


def add_index(scene: Scene, catalog: CatalogCollection) -> None:
    index = FieldIndex.FromString(scene.value(index_key(scene, catalog, schema.STOCK_INDEX)))
    index.index_info.index_name, index.index_info.indexID = "another", 12
    index.index_info.fieldID = schema.KEY
    del index.index_info.index_params[:]
    index.index_info.index_params.append(KeyValuePair(key="index_type", value="STL_SORT"))
    scene.put(scene.keys.field_index(scene.collection, 12), index.SerializeToString())


def partition_key(scene: Scene, catalog: CatalogCollection) -> str:
    return scene.keys.partition(scene.collection, catalog.partition_ids["part_1"])


CASES: dict[str, tuple[Spoil, list[str]]] = {
    "another type": (retype, ["stock", "Int64", "Int32"]),
    "another dimension": (resize, ["embedding", "4", "8"]),
    "another field id": (renumber, ["stock", "104", "250"]),
    "a field less": (lambda scene, _: scene.drop(field_key(scene, schema.TITLE)), ["title"]),
    "a field more": (add_field, ["extra"]),
    "other shards": (lambda scene, _: collection(scene, reshard), ["shards: expected 2, found 1"]),
    "no dynamic field": (
        lambda scene, _: collection(scene, without_dynamic_field),
        ["dynamic field: expected on, found off"],
    ),
    "an index less": (drop_index, ["stock_sorted", "expected in the target, found none"]),
    "another index": (change_index, ["embedding_hnsw", "metric_type", "L2", "COSINE"]),
    "an index more": (add_index, ["another", "not in the snapshot"]),
    "a partition less": (
        lambda scene, catalog: scene.drop(partition_key(scene, catalog)),
        ["partition part_1", "found _default"],
    ),
}


@pytest.fixture
def catalog(scene: Scene) -> CatalogCollection:
    return target_collection(scene.written.shape, collection=TARGET, database="default")


@pytest.mark.parametrize("case", CASES)
async def test_a_target_that_differs_is_refused_by_its_difference(
    scene: Scene, catalog: CatalogCollection, case: str
) -> None:
    spoil, says = CASES[case]
    spoil(scene, catalog)
    error = await refused(scene, "TargetMismatch", ["'orders'", "'nightly'", *says])
    assert type(error) is TargetMismatch


async def test_every_difference_is_told_at_once(scene: Scene, catalog: CatalogCollection) -> None:
    retype(scene, catalog)
    drop_index(scene, catalog)
    collection(scene, reshard)
    await refused(scene, "TargetMismatch", ["(stock)", "stock_sorted", "shards:"])


async def test_a_partition_that_is_not_restored_may_be_absent(
    scene: Scene, catalog: CatalogCollection
) -> None:
    scene.drop(partition_key(scene, catalog))
    assert int(await scene.open(partitions=("_default",))) >= FIRST


async def test_a_partition_more_is_no_difference(scene: Scene, catalog: CatalogCollection) -> None:
    partition = PartitionInfo.FromString(scene.value(partition_key(scene, catalog)))
    partition.partitionName, partition.partitionID = "later", 99
    scene.put(scene.keys.partition(scene.collection, 99), partition.SerializeToString())
    assert int(await scene.open()) >= FIRST
