"""The etcd records of a segment whose data is in place, as Milvus holds them.

Rules are those of segment-restore.md, section 3. Keys and values are built here from ids alone, so that
they check what the product writes rather than repeat it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from formats.proto.common_pb2 import Finished, Flushed
from formats.proto.data_pb2 import Binlog, FieldBinlog, JsonKeyStats, SegmentInfo, TextIndexStats
from formats.proto.index_pb2 import SegmentIndex
from formats.proto.msg_pb2 import MsgPosition
from formats.segment import FieldBinlog as LoggedField
from formats.segment import IndexFiles, JsonIndex, SegmentManifest, TextIndex

MAX_ROW_NUM = 1024
LAST_EXPIRE_TIME = 2**64 - 1
STORAGE_V3 = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a segment lies: its ids, its shard's vchannel, its builds and its collection's index ids.

    `builds` maps the manifest's build ids to those in place, `indexes` index names to ids;
    `indexed_at` is Unix seconds, `root` the object store's root path.
    """

    meta: str
    collection: int
    partition: int
    segment: int
    channel: str
    start: MsgPosition
    dml: MsgPosition
    builds: Mapping[int, int]
    indexes: Mapping[str, int]
    indexed_at: int = 0
    root: str = "files"

    @property
    def owner(self) -> str:
        """The ids that end or continue each of the segment's keys."""
        return f"{self.collection}/{self.partition}/{self.segment}"

    def key(self, path: str) -> str:
        """The full key of what lies at a path below the root."""
        return f"{self.root}/{path}" if self.root else path

    def build(self, source: int) -> int:
        """The build in place for one of the manifest's; 0 is none and stays none."""
        return self.builds.get(source, 0)


def segment_records(manifest: SegmentManifest, placement: Placement) -> dict[str, Message]:
    """Every record of a flushed segment by its absolute key."""
    return {
        f"{placement.meta}/datacoord-meta/s/{placement.owner}": segment_record(manifest, placement),
        **log_records(manifest, placement),
        **index_records(manifest, placement),
    }


def segment_record(manifest: SegmentManifest, placement: Placement) -> SegmentInfo:
    """The segment's own record: flushed, visible, without its logs (section 3.1)."""
    return SegmentInfo(
        ID=placement.segment,
        collectionID=placement.collection,
        partitionID=placement.partition,
        insert_channel=placement.channel,
        num_of_rows=manifest.num_of_rows,
        state=Flushed,
        max_row_num=MAX_ROW_NUM,
        last_expire_time=LAST_EXPIRE_TIME,
        start_position=placement.start,
        dml_position=placement.dml,
        level=manifest.segment_level,  # type: ignore[arg-type]  # an enum's number; only its name is typed
        storage_version=manifest.storage_version,
        is_sorted=manifest.is_sorted,
        commit_timestamp=manifest.commit_timestamp,
        manifest_path=own_manifest(manifest, placement),
        textStatsLogs={each.field_id: _text_stats(each, placement) for each in manifest.text_index_files},
        jsonKeyStats={each.field_id: _json_stats(each, placement) for each in manifest.json_key_index_files},
    )


def own_manifest(manifest: SegmentManifest, placement: Placement) -> str:
    """Where a segment finds its own manifest: StorageV3 by folder and version, StorageV2 by key."""
    if not manifest.manifest_path:
        return ""
    folder = placement.key(f"insert_log/{placement.owner}")
    if manifest.storage_version == STORAGE_V3:
        version = json.loads(manifest.manifest_path)["ver"]
        return f'{{"ver":{version},"base_path":"{folder}"}}'
    return f"{folder}/{manifest.manifest_path.split(f'/{manifest.segment_id}/', 1)[1]}"


def log_records(manifest: SegmentManifest, placement: Placement) -> dict[str, Message]:
    """The logs by field, under the four side prefixes; a log's path follows from ids and is left out."""
    kinds: dict[str, Sequence[LoggedField]] = {
        "binlog": manifest.binlog_files,
        "statslog": manifest.statslog_files,
        "deltalog": manifest.deltalog_files,
        "bm25log": manifest.bm25_statslog_files,
    }
    return {
        f"{placement.meta}/datacoord-meta/{kind}/{placement.owner}/{field.field_id}": _field_binlog(field)
        for kind, fields in kinds.items()
        for field in fields
    }


def index_records(manifest: SegmentManifest, placement: Placement) -> dict[str, Message]:
    """One record per build, a finished one without files included (section 3.3)."""
    return {
        f"{placement.meta}/segment-index/{placement.owner}/{placement.build(each.build_id)}": _segment_index(
            each, manifest, placement
        )
        for each in manifest.index_files
    }


def _field_binlog(field: LoggedField) -> FieldBinlog:
    return FieldBinlog(
        fieldID=field.field_id,
        child_fields=field.child_fields,
        format=field.format,
        binlogs=[
            Binlog(
                entries_num=log.entries_num,
                timestamp_from=log.timestamp_from,
                timestamp_to=log.timestamp_to,
                log_size=log.log_size,
                logID=log.log_id,
                memory_size=log.memory_size,
            )
            for log in field.binlogs
        ],
    )


def _segment_index(index: IndexFiles, manifest: SegmentManifest, placement: Placement) -> SegmentIndex:
    return SegmentIndex(
        collectionID=placement.collection,
        partitionID=placement.partition,
        segmentID=placement.segment,
        num_rows=manifest.num_of_rows,
        indexID=placement.indexes.get(index.index_name, 0),
        buildID=placement.build(index.build_id),
        index_version=index.index_version,
        state=Finished,
        index_file_keys=[path.rsplit("/", 1)[1] for path in index.index_file_paths],
        create_time=placement.indexed_at,
        serialize_size=index.serialized_size,
        current_index_version=index.current_index_version,
        finished_time=placement.indexed_at,
        mem_size=index.mem_size,
        current_scalar_index_version=index.current_scalar_index_version,
        index_store_path_version=index.index_store_path_version,  # type: ignore[arg-type]  # as for level
    )


def _text_stats(text: TextIndex, placement: Placement) -> TextIndexStats:
    return TextIndexStats(
        fieldID=text.field_id,
        version=text.version,
        files=[path.rsplit("/", 1)[1] for path in text.files],
        log_size=text.log_size,
        memory_size=text.memory_size,
        buildID=placement.build(text.build_id),
    )


def _json_stats(index: JsonIndex, placement: Placement) -> JsonKeyStats:
    return JsonKeyStats(
        fieldID=index.field_id,
        version=index.version,
        files=[below_field(path, index.field_id) for path in index.files],
        log_size=index.log_size,
        memory_size=index.memory_size,
        buildID=placement.build(index.build_id),
        json_key_stats_data_format=index.json_key_stats_data_format,
    )


def below_field(path: str, field_id: int) -> str:
    """The part of a JSON index file's key after its field's folder (section 3.4)."""
    return re.split(rf"/(?:json_stats\.)?{field_id}/", path, maxsplit=1)[1]
