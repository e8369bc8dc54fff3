"""A segment's indexes as etcd keeps them, with full keys again (segment-restore.md, 3.3 to 3.5)."""

from collections.abc import Collection

from formats.proto.data_pb2 import JsonKeyStats, TextIndexStats
from formats.proto.index_pb2 import IndexInfo, SegmentIndex
from formats.segment import IndexFiles, JsonIndex, KeyValue, TextIndex
from formats.segment_folders import SegmentFolders

_JSON_FOLDERS = ("json_stats", "json_key_index_log", "_stats")


def index_files(record: SegmentIndex, definition: IndexInfo, folders: SegmentFolders) -> IndexFiles:
    """Returns a finished build of an index; UnsupportedFormat for a path layout that is not known."""
    version = int(record.index_store_path_version)
    return IndexFiles(
        segment_id=folders.segment,
        field_id=definition.fieldID,
        index_id=definition.indexID,
        build_id=record.buildID,
        index_name=definition.index_name,
        index_params=tuple(
            KeyValue(key=pair.key, value=pair.value)
            for pair in (*definition.index_params, *definition.type_params)
        ),
        index_file_paths=tuple(
            folders.index_file(version, record.buildID, record.index_version, name)
            for name in record.index_file_keys
        ),
        serialized_size=record.serialize_size,
        index_version=record.index_version,
        num_rows=record.num_rows,
        current_index_version=record.current_index_version,
        mem_size=record.mem_size,
        current_scalar_index_version=record.current_scalar_index_version,
        index_store_path_version=version,
    )


def text_index(record: TextIndexStats, folders: SegmentFolders, there: Collection[str]) -> TextIndex:
    """Returns the text index of a field; a file of a StorageV3 segment is in its folder if found there."""

    def path(name: str) -> str:
        if "text_log/" in name or "_stats/" in name:  # older records have full keys
            return name
        own = folders.own_stats("text_index", record.fieldID, name)
        if own in there:
            return own
        return folders.text_file(record.fieldID, record.buildID, record.version, name)

    return TextIndex(
        field_id=record.fieldID,
        version=record.version,
        files=tuple(map(path, record.files)),
        log_size=record.log_size,
        memory_size=record.memory_size,
        build_id=record.buildID,
    )


def json_index(record: JsonKeyStats, folders: SegmentFolders) -> JsonIndex:
    """Returns the JSON key index or the JSON stats of a field."""
    form = record.json_key_stats_data_format

    def path(name: str) -> str:
        if not {*name.split("/")}.isdisjoint(_JSON_FOLDERS):  # older records have full keys
            return name
        return folders.json_file(record.fieldID, record.buildID, record.version, form, name)

    return JsonIndex(
        field_id=record.fieldID,
        version=record.version,
        files=tuple(map(path, record.files)),
        log_size=record.log_size,
        memory_size=record.memory_size,
        build_id=record.buildID,
        json_key_stats_data_format=form,
    )
