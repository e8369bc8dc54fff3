"""A sample whose snapshot says something else than was written."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from formats.segment import Binlog, FieldBinlog, SegmentManifest
from samples.snapshot import WrittenSample, snapshot_files

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Change = Callable[[SegmentManifest], SegmentManifest]


def tampered(client: "S3Client", written: WrittenSample, change: Change, number: int = 0) -> WrittenSample:
    """The sample with the manifest of one segment changed in the bucket; digests are not kept up."""
    manifests = list(written.manifests)
    manifests[number] = change(manifests[number])
    for key, body in snapshot_files(written.shape, manifests).items():
        client.put_object(Bucket=written.bucket, Key=key, Body=body)
    return replace(written, manifests=tuple(manifests))


def with_first_log(manifest: SegmentManifest, kind: str, **values: Any) -> SegmentManifest:
    """The manifest with some values of the first log of a kind (`binlog_files` …) changed."""
    field, *others = getattr(manifest, kind)
    log, *logs = field.binlogs
    changed = field.model_copy(update={"binlogs": (log.model_copy(update=values), *logs)})
    return manifest.model_copy(update={kind: (changed, *others)})


def with_logs(manifest: SegmentManifest, kind: str, *more: Binlog) -> SegmentManifest:
    """The manifest with more logs in the first field of a kind."""
    field, *others = getattr(manifest, kind)
    longer: FieldBinlog = field.model_copy(update={"binlogs": (*field.binlogs, *more)})
    return manifest.model_copy(update={kind: (longer, *others)})


def object_of(written: WrittenSample, part: str, number: int = 0) -> str:
    """The key of the first object of a segment whose key has this part."""
    segment = written.manifests[number].segment_id
    return min(key for key in written.keys[segment] if part in key)


def twice(manifest: SegmentManifest) -> SegmentManifest:
    """The manifest with everything named twice that a snapshot may name again."""
    for kind in ("deltalog_files", "statslog_files", "bm25_statslog_files", "binlog_files"):
        if getattr(manifest, kind):
            manifest = with_logs(manifest, kind, getattr(manifest, kind)[0].binlogs[0])

    def doubled(entries: Any, name: str) -> Any:
        return tuple(each.model_copy(update={name: getattr(each, name) * 2}) for each in entries)

    return manifest.model_copy(
        update={
            "deltalog_files": manifest.deltalog_files * 2,
            "index_files": doubled(manifest.index_files, "index_file_paths"),
            "text_index_files": doubled(manifest.text_index_files, "files"),
            "json_key_index_files": doubled(manifest.json_key_index_files, "files"),
        }
    )
