"""A sample's snapshot as a bundle that holds its own data, and bundles that were moved (section 1.6)."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from formats.manifest import encode_manifest
from formats.metadata import write_metadata
from formats.proto.data_pb2 import SnapshotLayout, SnapshotMetadata
from formats.segment import SegmentManifest
from samples.snapshot import WrittenSample, manifest_key, metadata_key, snapshot_metadata

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

Rename = Callable[[str], str]

DATA = "files"
"""The folder of a bundle in which the data lies, whatever the source's root path was called."""


def export_sample(client: "S3Client", written: WrittenSample, bucket: str, prefix: str) -> WrittenSample:
    """The bundle below a prefix, '' for the bucket itself; its metadata file was put last."""

    def rename(key: str) -> str:
        below = key.removeprefix(f"{written.shape.root}/") if written.shape.root else key
        return _below(prefix, f"{DATA}/{below}")

    sources = [key for keys in written.keys.values() for key in keys]
    for key in sources:
        _copy(client, (written.bucket, key), (bucket, rename(key)))
    bundle = _renamed(written, rename, bucket, _below(prefix, _below_root(written, written.key)))
    digests = {rename(key): written.digests[key] for key in sources}
    for key, body in _files(bundle, prefix).items():
        client.put_object(Bucket=bucket, Key=key, Body=body)
        digests[key] = hashlib.sha256(body).hexdigest()
    return replace(bundle, digests=digests)


def move_bundle(
    client: "S3Client", bundle: WrittenSample, prefix: str, bucket: str, new_prefix: str
) -> WrittenSample:
    """The bundle copied as a whole, not a byte of it changed, to another prefix and bucket."""

    def rename(key: str) -> str:
        return _below(new_prefix, key.removeprefix(f"{prefix}/") if prefix else key)

    for key in bundle.digests:
        _copy(client, (bundle.bucket, key), (bucket, rename(key)))
    moved = _renamed(bundle, rename, bucket, rename(bundle.key))
    return replace(moved, digests={rename(key): digest for key, digest in bundle.digests.items()})


def _renamed(written: WrittenSample, rename: Rename, bucket: str, key: str) -> WrittenSample:
    return replace(
        written,
        bucket=bucket,
        key=key,
        uri=f"s3://{bucket}/{key}",
        manifests=tuple(_rewritten(manifest, rename) for manifest in written.manifests),
        keys={segment: tuple(map(rename, keys)) for segment, keys in written.keys.items()},
    )


def _rewritten(manifest: SegmentManifest, rename: Rename) -> SegmentManifest:
    """The manifest with every path renamed; of StorageV3 its own manifest alone speaks for insert logs."""
    entry = _renamed_paths(manifest.model_dump(), rename)
    if manifest.storage_version == 3:
        entry["binlog_files"] = ()
    if manifest.manifest_path.startswith("{"):
        pointer = json.loads(manifest.manifest_path)
        pointer["base_path"] = rename(pointer["base_path"])
        entry["manifest_path"] = json.dumps(pointer, separators=(",", ":"))
    elif manifest.manifest_path:
        entry["manifest_path"] = rename(manifest.manifest_path)
    return SegmentManifest.model_validate(entry)


def _renamed_paths(value: Any, rename: Rename) -> Any:
    if isinstance(value, Mapping):
        return {name: _renamed_member(name, each, rename) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed_paths(each, rename) for each in value]
    return value


def _renamed_member(name: str, value: Any, rename: Rename) -> Any:
    if name == "log_path":
        return rename(value)
    if name in ("index_file_paths", "files"):
        return [rename(path) for path in value]
    return _renamed_paths(value, rename)


def _files(bundle: WrittenSample, prefix: str) -> dict[str, bytes]:
    keys = {
        each.segment_id: _below(prefix, _below_root(bundle, manifest_key(bundle.shape, each.segment_id)))
        for each in bundle.manifests
    }
    version = bundle.shape.format_version
    files = {
        keys[each.segment_id]: encode_manifest(each, format_version=version) for each in bundle.manifests
    }
    return {**files, bundle.key: write_metadata(_metadata(bundle, list(keys.values())))}


def _metadata(bundle: WrittenSample, manifests: list[str]) -> SnapshotMetadata:
    metadata = snapshot_metadata(bundle.shape, bundle.manifests)
    del metadata.manifest_list[:]
    metadata.manifest_list.extend(manifests)
    metadata.layout = SnapshotLayout.SnapshotLayoutSelfContained
    metadata.snapshot_info.s3_location = bundle.uri
    return metadata


def _below_root(written: WrittenSample, key: str) -> str:
    return key.removeprefix(metadata_key(written.shape).partition("snapshots/")[0])


def _below(prefix: str, path: str) -> str:
    return f"{prefix}/{path}" if prefix else path


def _copy(client: "S3Client", source: tuple[str, str], target: tuple[str, str]) -> None:
    origin = client.get_object(Bucket=source[0], Key=source[1])["Body"]
    client.put_object(Bucket=target[0], Key=target[1], Body=origin.read())
