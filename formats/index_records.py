"""A segment's finished index builds as etcd keeps them (segment-restore.md, section 3.3)."""

from formats.errors import InvalidRequest, SnapshotCorrupt, UnsupportedFormat
from formats.keys import MetaKeys
from formats.paths import base_name
from formats.proto import common_pb2, index_pb2
from formats.segment import IndexFiles, SegmentManifest
from formats.target import SegmentTarget
from formats.wire import encode

# The keyword of an index file's path, by index_store_path_version.
_KEYWORDS = ("index_files", "index_v1")


def index_records(manifest: SegmentManifest, target: SegmentTarget, keys: MetaKeys) -> dict[str, bytes]:
    """Returns one finished SegmentIndex per build, by key, with the target's index and build ids.

    A build without files (a segment too small to be indexed) has its record too: without it Milvus builds
    anew. InvalidRequest when the target lacks the index or the plan a build id, SnapshotCorrupt when
    Milvus could not find a file again by the record, UnsupportedFormat for an unknown path version.
    """
    records: dict[str, bytes] = {}
    for index in manifest.index_files:
        record = _record(index, target)
        key = keys.segment_index(*target.ids, record.buildID)
        if key in records:
            raise SnapshotCorrupt(
                f"segment {manifest.segment_id}: build id {index.build_id} is that of two index builds, "
                "expected one; take the snapshot again"
            )
        records[key] = encode(record)
    return records


def _record(index: IndexFiles, target: SegmentTarget) -> index_pb2.SegmentIndex:
    if index.index_store_path_version not in range(len(_KEYWORDS)):
        raise UnsupportedFormat(
            f"{_named(index)}: index_store_path_version {index.index_store_path_version} is not 0 or 1"
        )
    return index_pb2.SegmentIndex(
        collectionID=target.collection_id,
        partitionID=target.partition_id,
        segmentID=target.segment_id,
        num_rows=index.num_rows,
        indexID=_index_id(index, target),
        buildID=_build_id(index, target),
        index_version=index.index_version,
        state=common_pb2.Finished,
        index_file_keys=dict.fromkeys(_file_key(path, index) for path in index.index_file_paths),
        create_time=target.created_at,
        serialize_size=index.serialized_size,
        current_index_version=index.current_index_version,
        finished_time=target.created_at,
        mem_size=index.mem_size,
        current_scalar_index_version=index.current_scalar_index_version,
        index_store_path_version=index_pb2.IndexStorePathVersion.Name(index.index_store_path_version),
    )


def _index_id(index: IndexFiles, target: SegmentTarget) -> int:
    if index.index_name not in target.index_ids:
        raise InvalidRequest(
            f"{_named(index)}: the target has no index of this name, it has "
            f"{', '.join(sorted(target.index_ids)) or 'none'}; create it on the target collection"
        )
    return target.index_ids[index.index_name]


def _build_id(index: IndexFiles, target: SegmentTarget) -> int:
    """A source's build id is never kept: garbage collection would then delete the source's files."""
    if not index.build_id:
        raise SnapshotCorrupt(
            f"{_named(index)}: its build id is 0, expected a number; take the snapshot again"
        )
    if index.build_id not in target.builds:
        raise InvalidRequest(
            f"{_named(index)}: build id {index.build_id} has no new one in the plan, which has them for "
            f"{', '.join(map(str, sorted(target.builds))) or 'none'}; plan the restore again"
        )
    return target.builds[index.build_id]


def _file_key(path: str, index: IndexFiles) -> str:
    """Milvus rebuilds the path from the record, so its ids and version must be the path's."""
    keyword = _KEYWORDS[index.index_store_path_version]
    parts = path.split("/")
    found = parts[-6:-3] if keyword == "index_files" else [*parts[-7:-6], *parts[-3:-1]]
    if found != [keyword, str(index.build_id), str(index.index_version)]:
        raise SnapshotCorrupt(
            f"{_named(index)}: path {path!r} is not where its record says: below {keyword}, build "
            f"{index.build_id}, version {index.index_version}; take the snapshot again"
        )
    return base_name(path)


def _named(index: IndexFiles) -> str:
    return f"index {index.index_name!r} of segment {index.segment_id}, field {index.field_id}"
