"""A collection as RootCoord records it in etcd (segment-restore.md, section 3.6)."""

import zlib
from dataclasses import dataclass

from google.protobuf.message import Message

from formats.proto.common_pb2 import ConsistencyLevel, KeyDataPair
from formats.proto.etcd_pb2 import (
    CollectionInfo,
    CollectionShardInfo,
    CollectionState,
    DatabaseInfo,
    DatabaseState,
    PartitionInfo,
    PartitionState,
)
from samples import schema
from samples.shape import BORN_MS, SampleShape, tso

DEFAULT_DATABASE = 1
FIRST_MESSAGE = bytes([1, 0, 0, 0, 0, 0, 0, 0])
"""Where the write-ahead log of each pchannel began."""


@dataclass(frozen=True, slots=True)
class CatalogCollection:
    """A collection of the sample's schema; `created_ms` is Unix milliseconds."""

    shape: SampleShape
    name: str
    database: str
    collection_id: int
    physical_channels: tuple[str, ...]
    created_ms: int

    @property
    def database_id(self) -> int:
        """The database's id; the default one is 1 in every cluster."""
        return DEFAULT_DATABASE if self.database == "default" else 1000 + name_number(self.database)

    @property
    def virtual_channels(self) -> tuple[str, ...]:
        """The vchannel of each shard, by shard index."""
        named = enumerate(self.physical_channels)
        return tuple(f"{pchannel}_{self.collection_id}v{shard}" for shard, pchannel in named)

    @property
    def partition_ids(self) -> dict[str, int]:
        """The partitions by name, with ids of this collection's own."""
        return {name: self._own(number) for name, number in self.shape.partition_ids.items()}

    def index_id(self, number: int) -> int:
        """The id of an index definition in this collection."""
        return self._own(self.shape.index_id(number))

    def _own(self, number: int) -> int:
        return number - self.shape.collection_id + self.collection_id


def name_number(name: str) -> int:
    """A number below 2^20 that depends on the name alone."""
    return zlib.crc32(name.encode()) % 2**20


def root_records(catalog: CatalogCollection) -> dict[str, Message]:
    """The database, the collection, its partitions and fields, by key below the meta prefix.

    Each is there twice, as the newest value and as a copy for time travel.
    """
    owner = f"{catalog.database_id}/{catalog.collection_id}"
    records: dict[str, Message] = {
        **_databases(catalog),
        f"root-coord/database/collection-info/{owner}": _collection(catalog),
    }
    for name, number in catalog.partition_ids.items():
        records[f"root-coord/partitions/{catalog.collection_id}/{number}"] = _partition(catalog, name, number)
    for field in schema.fields(catalog.shape):
        records[f"root-coord/fields/{catalog.collection_id}/{field.fieldID}"] = field
    for function in schema.functions(catalog.shape):
        records[f"root-coord/functions/{catalog.collection_id}/{function.id}"] = function
    created = tso(catalog.created_ms)
    return {**records, **{f"snapshots/{key}_ts{created}": message for key, message in records.items()}}


def _databases(catalog: CatalogCollection) -> dict[str, Message]:
    databases = {DEFAULT_DATABASE: "default", catalog.database_id: catalog.database}
    return {
        f"root-coord/database/db-info/{number}": DatabaseInfo(
            name=name, id=number, state=DatabaseState.DatabaseCreated, created_time=tso(BORN_MS)
        )
        for number, name in databases.items()
    }


def _collection(catalog: CatalogCollection) -> CollectionInfo:
    return CollectionInfo(
        ID=catalog.collection_id,
        schema=schema.collection_schema(name=catalog.name, database=catalog.database),
        create_time=tso(catalog.created_ms),
        virtual_channel_names=catalog.virtual_channels,
        physical_channel_names=catalog.physical_channels,
        shards_num=len(catalog.physical_channels),
        start_positions=[KeyDataPair(key=name, data=FIRST_MESSAGE) for name in catalog.physical_channels],
        consistency_level=ConsistencyLevel.Bounded,
        state=CollectionState.CollectionCreated,
        properties=schema.pairs(schema.PROPERTIES),
        db_id=catalog.database_id,
        UpdateTimestamp=tso(catalog.created_ms),
        shard_infos=[CollectionShardInfo() for _ in catalog.physical_channels],
    )


def _partition(catalog: CatalogCollection, name: str, number: int) -> PartitionInfo:
    return PartitionInfo(
        partitionID=number,
        partitionName=name,
        partition_created_timestamp=tso(catalog.created_ms),
        collection_id=catalog.collection_id,
        state=PartitionState.PartitionCreated,
    )
