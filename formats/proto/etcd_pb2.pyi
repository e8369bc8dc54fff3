from formats.proto import common_pb2 as _common_pb2
from formats.proto import schema_pb2 as _schema_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DatabaseState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DatabaseUnknown: _ClassVar[DatabaseState]
    DatabaseCreated: _ClassVar[DatabaseState]
    DatabaseCreating: _ClassVar[DatabaseState]
    DatabaseDropping: _ClassVar[DatabaseState]
    DatabaseDropped: _ClassVar[DatabaseState]

class CollectionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CollectionCreated: _ClassVar[CollectionState]
    CollectionCreating: _ClassVar[CollectionState]
    CollectionDropping: _ClassVar[CollectionState]
    CollectionDropped: _ClassVar[CollectionState]

class PartitionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PartitionCreated: _ClassVar[PartitionState]
    PartitionCreating: _ClassVar[PartitionState]
    PartitionDropping: _ClassVar[PartitionState]
    PartitionDropped: _ClassVar[PartitionState]

class AliasState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    AliasCreated: _ClassVar[AliasState]
    AliasCreating: _ClassVar[AliasState]
    AliasDropping: _ClassVar[AliasState]
    AliasDropped: _ClassVar[AliasState]
DatabaseUnknown: DatabaseState
DatabaseCreated: DatabaseState
DatabaseCreating: DatabaseState
DatabaseDropping: DatabaseState
DatabaseDropped: DatabaseState
CollectionCreated: CollectionState
CollectionCreating: CollectionState
CollectionDropping: CollectionState
CollectionDropped: CollectionState
PartitionCreated: PartitionState
PartitionCreating: PartitionState
PartitionDropping: PartitionState
PartitionDropped: PartitionState
AliasCreated: AliasState
AliasCreating: AliasState
AliasDropping: AliasState
AliasDropped: AliasState

class DatabaseInfo(_message.Message):
    __slots__ = ("tenant_id", "name", "id", "state", "created_time", "properties")
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_TIME_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    tenant_id: str
    name: str
    id: int
    state: DatabaseState
    created_time: int
    properties: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyValuePair]
    def __init__(self, tenant_id: _Optional[str] = ..., name: _Optional[str] = ..., id: _Optional[int] = ..., state: _Optional[_Union[DatabaseState, str]] = ..., created_time: _Optional[int] = ..., properties: _Optional[_Iterable[_Union[_common_pb2.KeyValuePair, _Mapping]]] = ...) -> None: ...

class CollectionInfo(_message.Message):
    __slots__ = ("ID", "schema", "create_time", "partitionIDs", "partitionNames", "virtual_channel_names", "physical_channel_names", "partition_created_timestamps", "shards_num", "start_positions", "consistency_level", "state", "properties", "db_id", "UpdateTimestamp", "shard_infos")
    ID_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PARTITIONIDS_FIELD_NUMBER: _ClassVar[int]
    PARTITIONNAMES_FIELD_NUMBER: _ClassVar[int]
    VIRTUAL_CHANNEL_NAMES_FIELD_NUMBER: _ClassVar[int]
    PHYSICAL_CHANNEL_NAMES_FIELD_NUMBER: _ClassVar[int]
    PARTITION_CREATED_TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    SHARDS_NUM_FIELD_NUMBER: _ClassVar[int]
    START_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_LEVEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    DB_ID_FIELD_NUMBER: _ClassVar[int]
    UPDATETIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    SHARD_INFOS_FIELD_NUMBER: _ClassVar[int]
    ID: int
    schema: _schema_pb2.CollectionSchema
    create_time: int
    partitionIDs: _containers.RepeatedScalarFieldContainer[int]
    partitionNames: _containers.RepeatedScalarFieldContainer[str]
    virtual_channel_names: _containers.RepeatedScalarFieldContainer[str]
    physical_channel_names: _containers.RepeatedScalarFieldContainer[str]
    partition_created_timestamps: _containers.RepeatedScalarFieldContainer[int]
    shards_num: int
    start_positions: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyDataPair]
    consistency_level: _common_pb2.ConsistencyLevel
    state: CollectionState
    properties: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyValuePair]
    db_id: int
    UpdateTimestamp: int
    shard_infos: _containers.RepeatedCompositeFieldContainer[CollectionShardInfo]
    def __init__(self, ID: _Optional[int] = ..., schema: _Optional[_Union[_schema_pb2.CollectionSchema, _Mapping]] = ..., create_time: _Optional[int] = ..., partitionIDs: _Optional[_Iterable[int]] = ..., partitionNames: _Optional[_Iterable[str]] = ..., virtual_channel_names: _Optional[_Iterable[str]] = ..., physical_channel_names: _Optional[_Iterable[str]] = ..., partition_created_timestamps: _Optional[_Iterable[int]] = ..., shards_num: _Optional[int] = ..., start_positions: _Optional[_Iterable[_Union[_common_pb2.KeyDataPair, _Mapping]]] = ..., consistency_level: _Optional[_Union[_common_pb2.ConsistencyLevel, str]] = ..., state: _Optional[_Union[CollectionState, str]] = ..., properties: _Optional[_Iterable[_Union[_common_pb2.KeyValuePair, _Mapping]]] = ..., db_id: _Optional[int] = ..., UpdateTimestamp: _Optional[int] = ..., shard_infos: _Optional[_Iterable[_Union[CollectionShardInfo, _Mapping]]] = ...) -> None: ...

class CollectionShardInfo(_message.Message):
    __slots__ = ("last_truncate_time_tick",)
    LAST_TRUNCATE_TIME_TICK_FIELD_NUMBER: _ClassVar[int]
    last_truncate_time_tick: int
    def __init__(self, last_truncate_time_tick: _Optional[int] = ...) -> None: ...

class PartitionInfo(_message.Message):
    __slots__ = ("partitionID", "partitionName", "partition_created_timestamp", "collection_id", "state")
    PARTITIONID_FIELD_NUMBER: _ClassVar[int]
    PARTITIONNAME_FIELD_NUMBER: _ClassVar[int]
    PARTITION_CREATED_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    partitionID: int
    partitionName: str
    partition_created_timestamp: int
    collection_id: int
    state: PartitionState
    def __init__(self, partitionID: _Optional[int] = ..., partitionName: _Optional[str] = ..., partition_created_timestamp: _Optional[int] = ..., collection_id: _Optional[int] = ..., state: _Optional[_Union[PartitionState, str]] = ...) -> None: ...

class AliasInfo(_message.Message):
    __slots__ = ("alias_name", "collection_id", "created_time", "state", "db_id")
    ALIAS_NAME_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_ID_FIELD_NUMBER: _ClassVar[int]
    CREATED_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DB_ID_FIELD_NUMBER: _ClassVar[int]
    alias_name: str
    collection_id: int
    created_time: int
    state: AliasState
    db_id: int
    def __init__(self, alias_name: _Optional[str] = ..., collection_id: _Optional[int] = ..., created_time: _Optional[int] = ..., state: _Optional[_Union[AliasState, str]] = ..., db_id: _Optional[int] = ...) -> None: ...
