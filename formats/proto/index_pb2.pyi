from formats.proto import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class IndexStorePathVersion(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUILD_ROOTED: _ClassVar[IndexStorePathVersion]
    COLLECTION_ROOTED: _ClassVar[IndexStorePathVersion]
BUILD_ROOTED: IndexStorePathVersion
COLLECTION_ROOTED: IndexStorePathVersion

class IndexInfo(_message.Message):
    __slots__ = ("collectionID", "fieldID", "index_name", "indexID", "type_params", "index_params", "indexed_rows", "total_rows", "state", "index_state_fail_reason", "is_auto_index", "user_index_params", "pending_index_rows", "min_index_version", "max_index_version")
    COLLECTIONID_FIELD_NUMBER: _ClassVar[int]
    FIELDID_FIELD_NUMBER: _ClassVar[int]
    INDEX_NAME_FIELD_NUMBER: _ClassVar[int]
    INDEXID_FIELD_NUMBER: _ClassVar[int]
    TYPE_PARAMS_FIELD_NUMBER: _ClassVar[int]
    INDEX_PARAMS_FIELD_NUMBER: _ClassVar[int]
    INDEXED_ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    INDEX_STATE_FAIL_REASON_FIELD_NUMBER: _ClassVar[int]
    IS_AUTO_INDEX_FIELD_NUMBER: _ClassVar[int]
    USER_INDEX_PARAMS_FIELD_NUMBER: _ClassVar[int]
    PENDING_INDEX_ROWS_FIELD_NUMBER: _ClassVar[int]
    MIN_INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    collectionID: int
    fieldID: int
    index_name: str
    indexID: int
    type_params: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyValuePair]
    index_params: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyValuePair]
    indexed_rows: int
    total_rows: int
    state: _common_pb2.IndexState
    index_state_fail_reason: str
    is_auto_index: bool
    user_index_params: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyValuePair]
    pending_index_rows: int
    min_index_version: int
    max_index_version: int
    def __init__(self, collectionID: _Optional[int] = ..., fieldID: _Optional[int] = ..., index_name: _Optional[str] = ..., indexID: _Optional[int] = ..., type_params: _Optional[_Iterable[_Union[_common_pb2.KeyValuePair, _Mapping]]] = ..., index_params: _Optional[_Iterable[_Union[_common_pb2.KeyValuePair, _Mapping]]] = ..., indexed_rows: _Optional[int] = ..., total_rows: _Optional[int] = ..., state: _Optional[_Union[_common_pb2.IndexState, str]] = ..., index_state_fail_reason: _Optional[str] = ..., is_auto_index: bool = ..., user_index_params: _Optional[_Iterable[_Union[_common_pb2.KeyValuePair, _Mapping]]] = ..., pending_index_rows: _Optional[int] = ..., min_index_version: _Optional[int] = ..., max_index_version: _Optional[int] = ...) -> None: ...

class FieldIndex(_message.Message):
    __slots__ = ("index_info", "deleted", "create_time", "min_schema_version")
    INDEX_INFO_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    MIN_SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    index_info: IndexInfo
    deleted: bool
    create_time: int
    min_schema_version: int
    def __init__(self, index_info: _Optional[_Union[IndexInfo, _Mapping]] = ..., deleted: bool = ..., create_time: _Optional[int] = ..., min_schema_version: _Optional[int] = ...) -> None: ...

class SegmentIndex(_message.Message):
    __slots__ = ("collectionID", "partitionID", "segmentID", "num_rows", "indexID", "buildID", "nodeID", "index_version", "state", "fail_reason", "index_file_keys", "deleted", "create_time", "serialize_size", "write_handoff", "current_index_version", "index_store_version", "finished_time", "mem_size", "current_scalar_index_version", "index_type", "index_store_path_version", "data_manifest")
    COLLECTIONID_FIELD_NUMBER: _ClassVar[int]
    PARTITIONID_FIELD_NUMBER: _ClassVar[int]
    SEGMENTID_FIELD_NUMBER: _ClassVar[int]
    NUM_ROWS_FIELD_NUMBER: _ClassVar[int]
    INDEXID_FIELD_NUMBER: _ClassVar[int]
    BUILDID_FIELD_NUMBER: _ClassVar[int]
    NODEID_FIELD_NUMBER: _ClassVar[int]
    INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    FAIL_REASON_FIELD_NUMBER: _ClassVar[int]
    INDEX_FILE_KEYS_FIELD_NUMBER: _ClassVar[int]
    DELETED_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SERIALIZE_SIZE_FIELD_NUMBER: _ClassVar[int]
    WRITE_HANDOFF_FIELD_NUMBER: _ClassVar[int]
    CURRENT_INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    INDEX_STORE_VERSION_FIELD_NUMBER: _ClassVar[int]
    FINISHED_TIME_FIELD_NUMBER: _ClassVar[int]
    MEM_SIZE_FIELD_NUMBER: _ClassVar[int]
    CURRENT_SCALAR_INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    INDEX_TYPE_FIELD_NUMBER: _ClassVar[int]
    INDEX_STORE_PATH_VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_MANIFEST_FIELD_NUMBER: _ClassVar[int]
    collectionID: int
    partitionID: int
    segmentID: int
    num_rows: int
    indexID: int
    buildID: int
    nodeID: int
    index_version: int
    state: _common_pb2.IndexState
    fail_reason: str
    index_file_keys: _containers.RepeatedScalarFieldContainer[str]
    deleted: bool
    create_time: int
    serialize_size: int
    write_handoff: bool
    current_index_version: int
    index_store_version: int
    finished_time: int
    mem_size: int
    current_scalar_index_version: int
    index_type: str
    index_store_path_version: IndexStorePathVersion
    data_manifest: str
    def __init__(self, collectionID: _Optional[int] = ..., partitionID: _Optional[int] = ..., segmentID: _Optional[int] = ..., num_rows: _Optional[int] = ..., indexID: _Optional[int] = ..., buildID: _Optional[int] = ..., nodeID: _Optional[int] = ..., index_version: _Optional[int] = ..., state: _Optional[_Union[_common_pb2.IndexState, str]] = ..., fail_reason: _Optional[str] = ..., index_file_keys: _Optional[_Iterable[str]] = ..., deleted: bool = ..., create_time: _Optional[int] = ..., serialize_size: _Optional[int] = ..., write_handoff: bool = ..., current_index_version: _Optional[int] = ..., index_store_version: _Optional[int] = ..., finished_time: _Optional[int] = ..., mem_size: _Optional[int] = ..., current_scalar_index_version: _Optional[int] = ..., index_type: _Optional[str] = ..., index_store_path_version: _Optional[_Union[IndexStorePathVersion, str]] = ..., data_manifest: _Optional[str] = ...) -> None: ...
