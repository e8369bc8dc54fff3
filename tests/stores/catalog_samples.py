from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from formats.catalog import TargetCollection
from formats.keys import MetaKeys
from formats.proto import common_pb2, etcd_pb2, index_pb2, schema_pb2
from stores.catalog import read_collection
from stores.memory import MemoryMetadataStore
from stores.ports import Transaction

KEYS = MetaKeys()
TOMBSTONE = b"\xe2\x9b\xbc"


def put(store: MemoryMetadataStore, records: Mapping[str, Message | bytes]) -> None:
    for key, value in records.items():
        body = value if isinstance(value, bytes) else value.SerializeToString()
        assert store.commit(Transaction(puts={key: body}))


def pair(key: str, value: str) -> common_pb2.KeyValuePair:
    return common_pb2.KeyValuePair(key=key, value=value)


def text(number: int, name: str) -> schema_pb2.FieldSchema:
    return schema_pb2.FieldSchema(fieldID=number, name=name, data_type=schema_pb2.VarChar)


def collection(number: int = 444, name: str = "books", **changes: Any) -> etcd_pb2.CollectionInfo:
    stored = etcd_pb2.CollectionInfo(
        ID=number,
        schema=schema_pb2.CollectionSchema(name=name, enable_dynamic_field=True),
        create_time=100,
        virtual_channel_names=[f"dml_9_{number}v0", f"dml_10_{number}v1"],
        physical_channel_names=["dml_9", "dml_10"],
        shards_num=2,
        start_positions=[common_pb2.KeyDataPair(key="dml_9", data=b"\x01")],
        properties=[pair("collection.ttl.seconds", "60")],
        db_id=1,
    )
    stored.MergeFrom(etcd_pb2.CollectionInfo(**changes))
    return stored


def parts(number: int = 444) -> dict[str, Message | bytes]:
    """What a present-day Milvus keeps of a collection in keys of its own."""
    return {
        KEYS.field(number, 100): text(100, "id"),
        KEYS.field(number, 101): text(101, "title"),
        KEYS.field(number, 9): text(9, "low"),
        KEYS.struct_array_field(number, 102): schema_pb2.StructArrayFieldSchema(fieldID=102, name="parts"),
        KEYS.function(number, 1000): schema_pb2.FunctionSchema(id=1000, name="bm25"),
        KEYS.partition(number, 555): etcd_pb2.PartitionInfo(partitionID=555, partitionName="_default"),
        KEYS.partition(number, 556): etcd_pb2.PartitionInfo(partitionID=556, partitionName="new"),
        KEYS.field_index(number, 777): index_pb2.FieldIndex(
            index_info=index_pb2.IndexInfo(indexID=777, index_name="vec", fieldID=103)
        ),
    }


def database(
    number: int, name: str, state: etcd_pb2.DatabaseState = etcd_pb2.DatabaseCreated
) -> etcd_pb2.DatabaseInfo:
    return etcd_pb2.DatabaseInfo(id=number, name=name, state=state)


def present_day() -> MemoryMetadataStore:
    store = MemoryMetadataStore()
    put(store, {KEYS.database(1): database(1, "default"), KEYS.collection(1, 444): collection(), **parts()})
    return store


def read(store: MemoryMetadataStore, name: str = "books", database: str = "default") -> TargetCollection:
    return read_collection(store, KEYS, database, name)


def names(found: TargetCollection) -> list[str]:
    return [field.name for field in found.schema.fields]
