from formats.proto import common_pb2 as _common_pb2
from formats.proto import schema_pb2 as _schema_pb2
from formats.proto import msg_pb2 as _msg_pb2
from formats.proto import index_pb2 as _index_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Mapping as _Mapping, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SegmentLevel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    Legacy: _ClassVar[SegmentLevel]
    L0: _ClassVar[SegmentLevel]
    L1: _ClassVar[SegmentLevel]
    L2: _ClassVar[SegmentLevel]

class CopySegmentJobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CopySegmentJobNone: _ClassVar[CopySegmentJobState]
    CopySegmentJobPending: _ClassVar[CopySegmentJobState]
    CopySegmentJobExecuting: _ClassVar[CopySegmentJobState]
    CopySegmentJobCompleted: _ClassVar[CopySegmentJobState]
    CopySegmentJobFailed: _ClassVar[CopySegmentJobState]

class CopySegmentTaskState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CopySegmentTaskNone: _ClassVar[CopySegmentTaskState]
    CopySegmentTaskPending: _ClassVar[CopySegmentTaskState]
    CopySegmentTaskInProgress: _ClassVar[CopySegmentTaskState]
    CopySegmentTaskCompleted: _ClassVar[CopySegmentTaskState]
    CopySegmentTaskFailed: _ClassVar[CopySegmentTaskState]

class SnapshotState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SnapshotStateUnknown: _ClassVar[SnapshotState]
    SnapshotStatePending: _ClassVar[SnapshotState]
    SnapshotStateCommitted: _ClassVar[SnapshotState]
    SnapshotStateDeleting: _ClassVar[SnapshotState]

class SnapshotLayout(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SnapshotLayoutUnknown: _ClassVar[SnapshotLayout]
    SnapshotLayoutReferenced: _ClassVar[SnapshotLayout]
    SnapshotLayoutSelfContained: _ClassVar[SnapshotLayout]
Legacy: SegmentLevel
L0: SegmentLevel
L1: SegmentLevel
L2: SegmentLevel
CopySegmentJobNone: CopySegmentJobState
CopySegmentJobPending: CopySegmentJobState
CopySegmentJobExecuting: CopySegmentJobState
CopySegmentJobCompleted: CopySegmentJobState
CopySegmentJobFailed: CopySegmentJobState
CopySegmentTaskNone: CopySegmentTaskState
CopySegmentTaskPending: CopySegmentTaskState
CopySegmentTaskInProgress: CopySegmentTaskState
CopySegmentTaskCompleted: CopySegmentTaskState
CopySegmentTaskFailed: CopySegmentTaskState
SnapshotStateUnknown: SnapshotState
SnapshotStatePending: SnapshotState
SnapshotStateCommitted: SnapshotState
SnapshotStateDeleting: SnapshotState
SnapshotLayoutUnknown: SnapshotLayout
SnapshotLayoutReferenced: SnapshotLayout
SnapshotLayoutSelfContained: SnapshotLayout

class SegmentInfo(_message.Message):
    __slots__ = ("ID", "collectionID", "partitionID", "insert_channel", "num_of_rows", "state", "max_row_num", "last_expire_time", "start_position", "dml_position", "binlogs", "statslogs", "deltalogs", "createdByCompaction", "compactionFrom", "dropped_at", "is_importing", "is_fake", "compacted", "level", "storage_version", "partition_stats_version", "last_level", "last_partition_stats_version", "is_sorted", "textStatsLogs", "bm25statslogs", "is_invisible", "jsonKeyStats", "is_created_by_streaming", "is_sorted_by_namespace", "manifest_path", "expirQuantiles", "schema_version", "data_version", "commit_timestamp", "child_manifest_paths", "stats", "create_ts")
    class TextStatsLogsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: TextIndexStats
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[TextIndexStats, _Mapping]] = ...) -> None: ...
    class JsonKeyStatsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: JsonKeyStats
        def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[JsonKeyStats, _Mapping]] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTIONID_FIELD_NUMBER: _ClassVar[int]
    PARTITIONID_FIELD_NUMBER: _ClassVar[int]
    INSERT_CHANNEL_FIELD_NUMBER: _ClassVar[int]
    NUM_OF_ROWS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MAX_ROW_NUM_FIELD_NUMBER: _ClassVar[int]
    LAST_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_POSITION_FIELD_NUMBER: _ClassVar[int]
    DML_POSITION_FIELD_NUMBER: _ClassVar[int]
    BINLOGS_FIELD_NUMBER: _ClassVar[int]
    STATSLOGS_FIELD_NUMBER: _ClassVar[int]
    DELTALOGS_FIELD_NUMBER: _ClassVar[int]
    CREATEDBYCOMPACTION_FIELD_NUMBER: _ClassVar[int]
    COMPACTIONFROM_FIELD_NUMBER: _ClassVar[int]
    DROPPED_AT_FIELD_NUMBER: _ClassVar[int]
    IS_IMPORTING_FIELD_NUMBER: _ClassVar[int]
    IS_FAKE_FIELD_NUMBER: _ClassVar[int]
    COMPACTED_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    STORAGE_VERSION_FIELD_NUMBER: _ClassVar[int]
    PARTITION_STATS_VERSION_FIELD_NUMBER: _ClassVar[int]
    LAST_LEVEL_FIELD_NUMBER: _ClassVar[int]
    LAST_PARTITION_STATS_VERSION_FIELD_NUMBER: _ClassVar[int]
    IS_SORTED_FIELD_NUMBER: _ClassVar[int]
    TEXTSTATSLOGS_FIELD_NUMBER: _ClassVar[int]
    BM25STATSLOGS_FIELD_NUMBER: _ClassVar[int]
    IS_INVISIBLE_FIELD_NUMBER: _ClassVar[int]
    JSONKEYSTATS_FIELD_NUMBER: _ClassVar[int]
    IS_CREATED_BY_STREAMING_FIELD_NUMBER: _ClassVar[int]
    IS_SORTED_BY_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_PATH_FIELD_NUMBER: _ClassVar[int]
    EXPIRQUANTILES_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_VERSION_FIELD_NUMBER: _ClassVar[int]
    COMMIT_TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CHILD_MANIFEST_PATHS_FIELD_NUMBER: _ClassVar[int]
    STATS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TS_FIELD_NUMBER: _ClassVar[int]
    ID: int
    collectionID: int
    partitionID: int
    insert_channel: str
    num_of_rows: int
    state: _common_pb2.SegmentState
    max_row_num: int
    last_expire_time: int
    start_position: _msg_pb2.MsgPosition
    dml_position: _msg_pb2.MsgPosition
    binlogs: _containers.RepeatedCompositeFieldContainer[FieldBinlog]
    statslogs: _containers.RepeatedCompositeFieldContainer[FieldBinlog]
    deltalogs: _containers.RepeatedCompositeFieldContainer[FieldBinlog]
    createdByCompaction: bool
    compactionFrom: _containers.RepeatedScalarFieldContainer[int]
    dropped_at: int
    is_importing: bool
    is_fake: bool
    compacted: bool
    level: SegmentLevel
    storage_version: int
    partition_stats_version: int
    last_level: SegmentLevel
    last_partition_stats_version: int
    is_sorted: bool
    textStatsLogs: _containers.MessageMap[int, TextIndexStats]
    bm25statslogs: _containers.RepeatedCompositeFieldContainer[FieldBinlog]
    is_invisible: bool
    jsonKeyStats: _containers.MessageMap[int, JsonKeyStats]
    is_created_by_streaming: bool
    is_sorted_by_namespace: bool
    manifest_path: str
    expirQuantiles: _containers.RepeatedScalarFieldContainer[int]
    schema_version: int
    data_version: int
    commit_timestamp: int
    child_manifest_paths: _containers.RepeatedScalarFieldContainer[str]
    stats: Statistics
    create_ts: int
    def __init__(self, ID: _Optional[int] = ..., collectionID: _Optional[int] = ..., partitionID: _Optional[int] = ..., insert_channel: _Optional[str] = ..., num_of_rows: _Optional[int] = ..., state: _Optional[_Union[_common_pb2.SegmentState, str]] = ..., max_row_num: _Optional[int] = ..., last_expire_time: _Optional[int] = ..., start_position: _Optional[_Union[_msg_pb2.MsgPosition, _Mapping]] = ..., dml_position: _Optional[_Union[_msg_pb2.MsgPosition, _Mapping]] = ..., binlogs: _Optional[_Iterable[_Union[FieldBinlog, _Mapping]]] = ..., statslogs: _Optional[_Iterable[_Union[FieldBinlog, _Mapping]]] = ..., deltalogs: _Optional[_Iterable[_Union[FieldBinlog, _Mapping]]] = ..., createdByCompaction: bool = ..., compactionFrom: _Optional[_Iterable[int]] = ..., dropped_at: _Optional[int] = ..., is_importing: bool = ..., is_fake: bool = ..., compacted: bool = ..., level: _Optional[_Union[SegmentLevel, str]] = ..., storage_version: _Optional[int] = ..., partition_stats_version: _Optional[int] = ..., last_level: _Optional[_Union[SegmentLevel, str]] = ..., last_partition_stats_version: _Optional[int] = ..., is_sorted: bool = ..., textStatsLogs: _Optional[_Mapping[int, TextIndexStats]] = ..., bm25statslogs: _Optional[_Iterable[_Union[FieldBinlog, _Mapping]]] = ..., is_invisible: bool = ..., jsonKeyStats: _Optional[_Mapping[int, JsonKeyStats]] = ..., is_created_by_streaming: bool = ..., is_sorted_by_namespace: bool = ..., manifest_path: _Optional[str] = ..., expirQuantiles: _Optional[_Iterable[int]] = ..., schema_version: _Optional[int] = ..., data_version: _Optional[int] = ..., commit_timestamp: _Optional[int] = ..., child_manifest_paths: _Optional[_Iterable[str]] = ..., stats: _Optional[_Union[Statistics, _Mapping]] = ..., create_ts: _Optional[int] = ...) -> None: ...

class FieldBinlog(_message.Message):
    __slots__ = ("fieldID", "binlogs", "child_fields", "format")
    FIELDID_FIELD_NUMBER: _ClassVar[int]
    BINLOGS_FIELD_NUMBER: _ClassVar[int]
    CHILD_FIELDS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    fieldID: int
    binlogs: _containers.RepeatedCompositeFieldContainer[Binlog]
    child_fields: _containers.RepeatedScalarFieldContainer[int]
    format: str
    def __init__(self, fieldID: _Optional[int] = ..., binlogs: _Optional[_Iterable[_Union[Binlog, _Mapping]]] = ..., child_fields: _Optional[_Iterable[int]] = ..., format: _Optional[str] = ...) -> None: ...

class Binlog(_message.Message):
    __slots__ = ("entries_num", "timestamp_from", "timestamp_to", "log_path", "log_size", "logID", "memory_size", "field_null_counts")
    class FieldNullCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    ENTRIES_NUM_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FROM_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_TO_FIELD_NUMBER: _ClassVar[int]
    LOG_PATH_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    LOGID_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_FIELD_NUMBER: _ClassVar[int]
    FIELD_NULL_COUNTS_FIELD_NUMBER: _ClassVar[int]
    entries_num: int
    timestamp_from: int
    timestamp_to: int
    log_path: str
    log_size: int
    logID: int
    memory_size: int
    field_null_counts: _containers.ScalarMap[int, int]
    def __init__(self, entries_num: _Optional[int] = ..., timestamp_from: _Optional[int] = ..., timestamp_to: _Optional[int] = ..., log_path: _Optional[str] = ..., log_size: _Optional[int] = ..., logID: _Optional[int] = ..., memory_size: _Optional[int] = ..., field_null_counts: _Optional[_Mapping[int, int]] = ...) -> None: ...

class TextIndexStats(_message.Message):
    __slots__ = ("fieldID", "version", "files", "log_size", "memory_size", "buildID", "current_scalar_index_version")
    FIELDID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_FIELD_NUMBER: _ClassVar[int]
    BUILDID_FIELD_NUMBER: _ClassVar[int]
    CURRENT_SCALAR_INDEX_VERSION_FIELD_NUMBER: _ClassVar[int]
    fieldID: int
    version: int
    files: _containers.RepeatedScalarFieldContainer[str]
    log_size: int
    memory_size: int
    buildID: int
    current_scalar_index_version: int
    def __init__(self, fieldID: _Optional[int] = ..., version: _Optional[int] = ..., files: _Optional[_Iterable[str]] = ..., log_size: _Optional[int] = ..., memory_size: _Optional[int] = ..., buildID: _Optional[int] = ..., current_scalar_index_version: _Optional[int] = ...) -> None: ...

class JsonKeyStats(_message.Message):
    __slots__ = ("fieldID", "version", "files", "log_size", "memory_size", "buildID", "json_key_stats_data_format")
    FIELDID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_FIELD_NUMBER: _ClassVar[int]
    BUILDID_FIELD_NUMBER: _ClassVar[int]
    JSON_KEY_STATS_DATA_FORMAT_FIELD_NUMBER: _ClassVar[int]
    fieldID: int
    version: int
    files: _containers.RepeatedScalarFieldContainer[str]
    log_size: int
    memory_size: int
    buildID: int
    json_key_stats_data_format: int
    def __init__(self, fieldID: _Optional[int] = ..., version: _Optional[int] = ..., files: _Optional[_Iterable[str]] = ..., log_size: _Optional[int] = ..., memory_size: _Optional[int] = ..., buildID: _Optional[int] = ..., json_key_stats_data_format: _Optional[int] = ...) -> None: ...

class Statistics(_message.Message):
    __slots__ = ("insert_binlog_size", "stats_binlog_size", "delta_binlog_size", "delete_num_rows", "insert_binlog_count", "delta_binlog_count", "timestamp_quantiles", "timestamp_from", "timestamp_to", "delta_timestamp_from", "delta_timestamp_to", "null_counts", "load_resource", "formats")
    class NullCountsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    INSERT_BINLOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    STATS_BINLOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    DELTA_BINLOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    DELETE_NUM_ROWS_FIELD_NUMBER: _ClassVar[int]
    INSERT_BINLOG_COUNT_FIELD_NUMBER: _ClassVar[int]
    DELTA_BINLOG_COUNT_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_QUANTILES_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FROM_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_TO_FIELD_NUMBER: _ClassVar[int]
    DELTA_TIMESTAMP_FROM_FIELD_NUMBER: _ClassVar[int]
    DELTA_TIMESTAMP_TO_FIELD_NUMBER: _ClassVar[int]
    NULL_COUNTS_FIELD_NUMBER: _ClassVar[int]
    LOAD_RESOURCE_FIELD_NUMBER: _ClassVar[int]
    FORMATS_FIELD_NUMBER: _ClassVar[int]
    insert_binlog_size: int
    stats_binlog_size: int
    delta_binlog_size: int
    delete_num_rows: int
    insert_binlog_count: int
    delta_binlog_count: int
    timestamp_quantiles: _containers.RepeatedScalarFieldContainer[int]
    timestamp_from: int
    timestamp_to: int
    delta_timestamp_from: int
    delta_timestamp_to: int
    null_counts: _containers.ScalarMap[int, int]
    load_resource: LoadResourceStatistics
    formats: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, insert_binlog_size: _Optional[int] = ..., stats_binlog_size: _Optional[int] = ..., delta_binlog_size: _Optional[int] = ..., delete_num_rows: _Optional[int] = ..., insert_binlog_count: _Optional[int] = ..., delta_binlog_count: _Optional[int] = ..., timestamp_quantiles: _Optional[_Iterable[int]] = ..., timestamp_from: _Optional[int] = ..., timestamp_to: _Optional[int] = ..., delta_timestamp_from: _Optional[int] = ..., delta_timestamp_to: _Optional[int] = ..., null_counts: _Optional[_Mapping[int, int]] = ..., load_resource: _Optional[_Union[LoadResourceStatistics, _Mapping]] = ..., formats: _Optional[_Iterable[str]] = ...) -> None: ...

class LoadResourceStatistics(_message.Message):
    __slots__ = ("column_groups",)
    COLUMN_GROUPS_FIELD_NUMBER: _ClassVar[int]
    column_groups: _containers.RepeatedCompositeFieldContainer[ColumnGroupStatistics]
    def __init__(self, column_groups: _Optional[_Iterable[_Union[ColumnGroupStatistics, _Mapping]]] = ...) -> None: ...

class ColumnGroupStatistics(_message.Message):
    __slots__ = ("group_id", "field_ids", "memory_size")
    GROUP_ID_FIELD_NUMBER: _ClassVar[int]
    FIELD_IDS_FIELD_NUMBER: _ClassVar[int]
    MEMORY_SIZE_FIELD_NUMBER: _ClassVar[int]
    group_id: int
    field_ids: _containers.RepeatedScalarFieldContainer[int]
    memory_size: int
    def __init__(self, group_id: _Optional[int] = ..., field_ids: _Optional[_Iterable[int]] = ..., memory_size: _Optional[int] = ...) -> None: ...

class CopySegmentJob(_message.Message):
    __slots__ = ("job_id", "db_id", "collection_id", "collection_name", "state", "reason", "id_mappings", "timeout_ts", "cleanup_ts", "start_ts", "complete_ts", "options", "total_segments", "copied_segments", "total_rows", "snapshot_name", "source_collection_id", "pin_id", "external", "snapshot_s3_location", "external_spec", "snapshot_fingerprint")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    DB_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ID_MAPPINGS_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_TS_FIELD_NUMBER: _ClassVar[int]
    CLEANUP_TS_FIELD_NUMBER: _ClassVar[int]
    START_TS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_TS_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    COPIED_SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_ROWS_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_NAME_FIELD_NUMBER: _ClassVar[int]
    SOURCE_COLLECTION_ID_FIELD_NUMBER: _ClassVar[int]
    PIN_ID_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_S3_LOCATION_FIELD_NUMBER: _ClassVar[int]
    EXTERNAL_SPEC_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FINGERPRINT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    db_id: int
    collection_id: int
    collection_name: str
    state: CopySegmentJobState
    reason: str
    id_mappings: _containers.RepeatedCompositeFieldContainer[CopySegmentIDMapping]
    timeout_ts: int
    cleanup_ts: int
    start_ts: int
    complete_ts: int
    options: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyValuePair]
    total_segments: int
    copied_segments: int
    total_rows: int
    snapshot_name: str
    source_collection_id: int
    pin_id: int
    external: bool
    snapshot_s3_location: str
    external_spec: str
    snapshot_fingerprint: str
    def __init__(self, job_id: _Optional[int] = ..., db_id: _Optional[int] = ..., collection_id: _Optional[int] = ..., collection_name: _Optional[str] = ..., state: _Optional[_Union[CopySegmentJobState, str]] = ..., reason: _Optional[str] = ..., id_mappings: _Optional[_Iterable[_Union[CopySegmentIDMapping, _Mapping]]] = ..., timeout_ts: _Optional[int] = ..., cleanup_ts: _Optional[int] = ..., start_ts: _Optional[int] = ..., complete_ts: _Optional[int] = ..., options: _Optional[_Iterable[_Union[_common_pb2.KeyValuePair, _Mapping]]] = ..., total_segments: _Optional[int] = ..., copied_segments: _Optional[int] = ..., total_rows: _Optional[int] = ..., snapshot_name: _Optional[str] = ..., source_collection_id: _Optional[int] = ..., pin_id: _Optional[int] = ..., external: bool = ..., snapshot_s3_location: _Optional[str] = ..., external_spec: _Optional[str] = ..., snapshot_fingerprint: _Optional[str] = ...) -> None: ...

class CopySegmentTask(_message.Message):
    __slots__ = ("task_id", "job_id", "collection_id", "node_id", "task_version", "task_slot", "state", "reason", "id_mappings", "created_ts", "complete_ts")
    TASK_ID_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_ID_FIELD_NUMBER: _ClassVar[int]
    NODE_ID_FIELD_NUMBER: _ClassVar[int]
    TASK_VERSION_FIELD_NUMBER: _ClassVar[int]
    TASK_SLOT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ID_MAPPINGS_FIELD_NUMBER: _ClassVar[int]
    CREATED_TS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_TS_FIELD_NUMBER: _ClassVar[int]
    task_id: int
    job_id: int
    collection_id: int
    node_id: int
    task_version: int
    task_slot: int
    state: CopySegmentTaskState
    reason: str
    id_mappings: _containers.RepeatedCompositeFieldContainer[CopySegmentIDMapping]
    created_ts: int
    complete_ts: int
    def __init__(self, task_id: _Optional[int] = ..., job_id: _Optional[int] = ..., collection_id: _Optional[int] = ..., node_id: _Optional[int] = ..., task_version: _Optional[int] = ..., task_slot: _Optional[int] = ..., state: _Optional[_Union[CopySegmentTaskState, str]] = ..., reason: _Optional[str] = ..., id_mappings: _Optional[_Iterable[_Union[CopySegmentIDMapping, _Mapping]]] = ..., created_ts: _Optional[int] = ..., complete_ts: _Optional[int] = ...) -> None: ...

class CopySegmentIDMapping(_message.Message):
    __slots__ = ("source_segment_id", "target_segment_id", "partition_id")
    SOURCE_SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    PARTITION_ID_FIELD_NUMBER: _ClassVar[int]
    source_segment_id: int
    target_segment_id: int
    partition_id: int
    def __init__(self, source_segment_id: _Optional[int] = ..., target_segment_id: _Optional[int] = ..., partition_id: _Optional[int] = ...) -> None: ...

class SnapshotMetadata(_message.Message):
    __slots__ = ("format_version", "snapshot_info", "collection", "indexes", "manifest_list", "storagev2_manifest_list", "segment_ids", "build_ids", "layout")
    FORMAT_VERSION_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_INFO_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_FIELD_NUMBER: _ClassVar[int]
    INDEXES_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_LIST_FIELD_NUMBER: _ClassVar[int]
    STORAGEV2_MANIFEST_LIST_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    BUILD_IDS_FIELD_NUMBER: _ClassVar[int]
    LAYOUT_FIELD_NUMBER: _ClassVar[int]
    format_version: int
    snapshot_info: SnapshotInfo
    collection: CollectionDescription
    indexes: _containers.RepeatedCompositeFieldContainer[_index_pb2.IndexInfo]
    manifest_list: _containers.RepeatedScalarFieldContainer[str]
    storagev2_manifest_list: _containers.RepeatedCompositeFieldContainer[StorageV2SegmentManifest]
    segment_ids: _containers.RepeatedScalarFieldContainer[int]
    build_ids: _containers.RepeatedScalarFieldContainer[int]
    layout: SnapshotLayout
    def __init__(self, format_version: _Optional[int] = ..., snapshot_info: _Optional[_Union[SnapshotInfo, _Mapping]] = ..., collection: _Optional[_Union[CollectionDescription, _Mapping]] = ..., indexes: _Optional[_Iterable[_Union[_index_pb2.IndexInfo, _Mapping]]] = ..., manifest_list: _Optional[_Iterable[str]] = ..., storagev2_manifest_list: _Optional[_Iterable[_Union[StorageV2SegmentManifest, _Mapping]]] = ..., segment_ids: _Optional[_Iterable[int]] = ..., build_ids: _Optional[_Iterable[int]] = ..., layout: _Optional[_Union[SnapshotLayout, str]] = ...) -> None: ...

class SnapshotInfo(_message.Message):
    __slots__ = ("name", "id", "description", "collection_id", "partition_ids", "create_ts", "s3_location", "state", "pending_start_time", "compaction_expire_time", "pin_ids", "pin_expire_at_ms", "channel_seek_positions")
    class PinExpireAtMsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: int
        def __init__(self, key: _Optional[int] = ..., value: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    COLLECTION_ID_FIELD_NUMBER: _ClassVar[int]
    PARTITION_IDS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TS_FIELD_NUMBER: _ClassVar[int]
    S3_LOCATION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PENDING_START_TIME_FIELD_NUMBER: _ClassVar[int]
    COMPACTION_EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PIN_IDS_FIELD_NUMBER: _ClassVar[int]
    PIN_EXPIRE_AT_MS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_SEEK_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    id: int
    description: str
    collection_id: int
    partition_ids: _containers.RepeatedScalarFieldContainer[int]
    create_ts: int
    s3_location: str
    state: SnapshotState
    pending_start_time: int
    compaction_expire_time: int
    pin_ids: _containers.RepeatedScalarFieldContainer[int]
    pin_expire_at_ms: _containers.ScalarMap[int, int]
    channel_seek_positions: _containers.RepeatedCompositeFieldContainer[_msg_pb2.MsgPosition]
    def __init__(self, name: _Optional[str] = ..., id: _Optional[int] = ..., description: _Optional[str] = ..., collection_id: _Optional[int] = ..., partition_ids: _Optional[_Iterable[int]] = ..., create_ts: _Optional[int] = ..., s3_location: _Optional[str] = ..., state: _Optional[_Union[SnapshotState, str]] = ..., pending_start_time: _Optional[int] = ..., compaction_expire_time: _Optional[int] = ..., pin_ids: _Optional[_Iterable[int]] = ..., pin_expire_at_ms: _Optional[_Mapping[int, int]] = ..., channel_seek_positions: _Optional[_Iterable[_Union[_msg_pb2.MsgPosition, _Mapping]]] = ...) -> None: ...

class CollectionDescription(_message.Message):
    __slots__ = ("schema", "num_partitions", "num_shards", "consistency_level", "properties", "partitions", "virtual_channel_names")
    class PartitionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    NUM_PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    NUM_SHARDS_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_LEVEL_FIELD_NUMBER: _ClassVar[int]
    PROPERTIES_FIELD_NUMBER: _ClassVar[int]
    PARTITIONS_FIELD_NUMBER: _ClassVar[int]
    VIRTUAL_CHANNEL_NAMES_FIELD_NUMBER: _ClassVar[int]
    schema: _schema_pb2.CollectionSchema
    num_partitions: int
    num_shards: int
    consistency_level: _common_pb2.ConsistencyLevel
    properties: _containers.RepeatedCompositeFieldContainer[_common_pb2.KeyValuePair]
    partitions: _containers.ScalarMap[str, int]
    virtual_channel_names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, schema: _Optional[_Union[_schema_pb2.CollectionSchema, _Mapping]] = ..., num_partitions: _Optional[int] = ..., num_shards: _Optional[int] = ..., consistency_level: _Optional[_Union[_common_pb2.ConsistencyLevel, str]] = ..., properties: _Optional[_Iterable[_Union[_common_pb2.KeyValuePair, _Mapping]]] = ..., partitions: _Optional[_Mapping[str, int]] = ..., virtual_channel_names: _Optional[_Iterable[str]] = ...) -> None: ...

class StorageV2SegmentManifest(_message.Message):
    __slots__ = ("segment_id", "manifest")
    SEGMENT_ID_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    segment_id: int
    manifest: str
    def __init__(self, segment_id: _Optional[int] = ..., manifest: _Optional[str] = ...) -> None: ...
