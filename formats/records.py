"""From a segment's manifest and its target to the exact records in etcd (segment-restore.md, section 3).

The same manifest and target always give the same bytes, so that what was written can be verified.
"""

from collections.abc import Callable
from typing import cast

from formats.catalog import is_live
from formats.errors import SnapshotCorrupt
from formats.index_records import index_records
from formats.keys import MetaKeys
from formats.log_records import binlog_records
from formats.pointer import read_pointer
from formats.proto import common_pb2, data_pb2, msg_pb2
from formats.segment import Position, SegmentManifest
from formats.stats_records import json_stats, text_stats, with_json_stats, with_text_stats
from formats.target import SegmentTarget
from formats.wire import decode, encode

__all__ = [
    "SegmentTarget",
    "binlog_records",
    "hidden_records",
    "index_records",
    "is_hidden",
    "json_stats",
    "published",
    "published_records",
    "segment_info",
    "text_stats",
    "with_json_stats",
    "with_text_stats",
]

_MAX_ROWS = 1024
_NEVER = 2**64 - 1


def segment_info(
    manifest: SegmentManifest, target: SegmentTarget, relocate_path: Callable[[str], str]
) -> data_pb2.SegmentInfo:
    """Returns the target segment as registered: hidden, without logs and indexes (segment-restore.md, 3.1).

    SnapshotCorrupt without its StorageV3 pointer or with an unknown level, UnsupportedFormat for a pointer
    to nothing committed; `relocate_path` raises its own.
    """
    return data_pb2.SegmentInfo(
        ID=target.segment_id,
        collectionID=target.collection_id,
        partitionID=target.partition_id,
        insert_channel=target.channel,
        num_of_rows=manifest.num_of_rows,
        state=common_pb2.Importing,
        max_row_num=_MAX_ROWS,
        last_expire_time=_NEVER,
        start_position=_position(manifest.start_position, target),
        dml_position=_position(manifest.dml_position, target),
        is_importing=True,
        level=_level(manifest),
        storage_version=manifest.storage_version,
        is_sorted=manifest.is_sorted,
        manifest_path=_manifest_path(manifest, relocate_path),
        commit_timestamp=manifest.commit_timestamp,
    )


def published(value: bytes) -> bytes:
    """Returns a serialized SegmentInfo as Flushed and no longer importing; unknown fields are kept."""
    segment = decode(data_pb2.SegmentInfo, value, "the segment's record")
    segment.state = common_pb2.Flushed
    segment.is_importing = False
    return encode(segment)


def is_hidden(value: bytes) -> bool:
    """True for a serialized SegmentInfo that is staged and not published; False for a deletion's mark."""
    return is_live(value) and data_pb2.SegmentInfo.FromString(value).state == common_pb2.Importing


def hidden_records(
    manifest: SegmentManifest, target: SegmentTarget, keys: MetaKeys, relocate_path: Callable[[str], str]
) -> dict[str, bytes]:
    """Returns every record of the segment, by key, that is in etcd when it is staged and not yet visible.

    Raises what segment_info, binlog_records, index_records, text_stats and json_stats raise.
    """
    value = encode(segment_info(manifest, target, relocate_path))
    value = with_text_stats(value, text_stats(manifest, target))
    value = with_json_stats(value, json_stats(manifest, target))
    return {
        keys.segment(*target.ids): value,
        **binlog_records(manifest, target, keys),
        **index_records(manifest, target, keys),
    }


def published_records(
    manifest: SegmentManifest, target: SegmentTarget, keys: MetaKeys, relocate_path: Callable[[str], str]
) -> dict[str, bytes]:
    """Returns every record of the segment, by key, that is in etcd when it is visible.

    Only the SegmentInfo differs from hidden_records, which tells what is raised.
    """
    records = hidden_records(manifest, target, keys, relocate_path)
    key = keys.segment(*target.ids)
    return {**records, key: published(records[key])}


def _position(source: Position, target: SegmentTarget) -> msg_pb2.MsgPosition:
    """The timestamp stays the source's, since deletes are ordered by it; message ids are the target's own.

    A position is always written: Milvus shows no rows of a segment without one.
    """
    return msg_pb2.MsgPosition(
        channel_name=target.channel,
        msgID=target.message_id,
        msgGroup=target.message_group,
        timestamp=source.timestamp,
        # A message id is only to be read by the kind of log that gave it, known to us or not.
        WAL_name=cast("common_pb2.WALName", target.wal_name),
    )


def _level(manifest: SegmentManifest) -> str:
    try:
        return data_pb2.SegmentLevel.Name(manifest.segment_level)
    except ValueError as error:
        raise SnapshotCorrupt(
            f"segment {manifest.segment_id}: segment_level is {manifest.segment_level}, expected 0 to 3"
        ) from error


def _manifest_path(manifest: SegmentManifest, relocate_path: Callable[[str], str]) -> str:
    """StorageV3 has a pointer to a folder, StorageV2 an object's key, StorageV1 nothing."""
    if manifest.storage_version != 3:
        return relocate_path(manifest.manifest_path) if manifest.manifest_path else ""
    if not manifest.manifest_path and manifest.segment_level == data_pb2.L0:
        return ""
    pointer = read_pointer(manifest.manifest_path, manifest.segment_id)
    below = pointer.manifest_key.removeprefix(pointer.base_path)
    base = relocate_path(pointer.manifest_key).removesuffix(below)
    return pointer.model_copy(update={"base_path": base}).text()
