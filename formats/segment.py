"""A segment as its manifest describes it (snapshot-format.md, sections 2.3 and 2.4).

Names are those of the Avro schema. Timestamps, sizes and commit_timestamp are unsigned 64-bit
values; timestamps are hybrid: Unix milliseconds << 18 | logical counter. Paths are full object keys.
"""

from typing import Annotated

from pydantic import Field

from formats.model import Model

Uint64 = Annotated[int, Field(ge=0, lt=2**64)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]


class Position(Model):
    """A place in the write-ahead log; a position that Milvus left out reads as all defaults."""

    channel_name: str = ""
    msg_id: bytes = b""
    msg_group: str = ""
    timestamp: Uint64 = 0


class Binlog(Model):
    """One log object. `log_size` is bytes in storage, `log_id` the last component of `log_path`."""

    entries_num: Int64
    timestamp_from: Uint64
    timestamp_to: Uint64
    log_path: str
    log_size: Int64
    log_id: Int64
    memory_size: Int64

    @property
    def sized_in_memory(self) -> bool:
        """True where `log_size` may be what the rows need in memory: Milvus 2.3 recorded no other size.

        Later versions write that one size twice for what 2.3 left behind, and where they do not know better.
        """
        return self.memory_size in (0, self.log_size)


class FieldBinlog(Model):
    """The logs of one field, or of one column group (then `child_fields` lists its fields)."""

    field_id: Int64
    child_fields: tuple[Int64, ...] = ()
    format: str = ""
    binlogs: tuple[Binlog, ...] = ()


class KeyValue(Model):
    """An index parameter."""

    key: str
    value: str


class IndexFiles(Model):
    """One finished build of a vector or scalar index; sizes in bytes."""

    segment_id: Int64
    field_id: Int64
    index_id: Int64
    build_id: Int64
    index_name: str
    index_params: tuple[KeyValue, ...] = ()
    index_file_paths: tuple[str, ...] = ()
    serialized_size: Uint64
    index_version: Int64
    num_rows: Int64
    current_index_version: int
    mem_size: Uint64
    current_scalar_index_version: int = 0
    index_store_path_version: int = 0


class TextIndex(Model):
    """The text-match index of one field; sizes in bytes."""

    field_id: Int64
    version: Int64
    files: tuple[str, ...] = ()
    log_size: Int64
    memory_size: Int64
    build_id: Int64


class JsonIndex(TextIndex):
    """The JSON key index (data format below 2) or JSON stats (2 and above) of one field."""

    json_key_stats_data_format: Int64


class SegmentManifest(Model):
    """All that a snapshot says of one segment.

    `segment_level`: 0 Legacy, 1 L0 (deletes only), 2 L1, 3 L2. `storage_version`: 0 one binlog per
    field, 2 packed column groups, 3 manifest-based. `manifest_path` is not in the Avro file; it comes
    from the metadata's `storagev2_manifest_list` and is empty for storage version 0.
    """

    segment_id: Int64
    partition_id: Int64
    segment_level: Int64
    channel_name: str
    num_of_rows: Int64
    start_position: Position
    dml_position: Position
    storage_version: Int64
    is_sorted: bool
    commit_timestamp: Uint64 = 0
    binlog_files: tuple[FieldBinlog, ...] = ()
    deltalog_files: tuple[FieldBinlog, ...] = ()
    statslog_files: tuple[FieldBinlog, ...] = ()
    bm25_statslog_files: tuple[FieldBinlog, ...] = ()
    index_files: tuple[IndexFiles, ...] = ()
    text_index_files: tuple[TextIndex, ...] = ()
    json_key_index_files: tuple[JsonIndex, ...] = ()
    manifest_path: str = ""
