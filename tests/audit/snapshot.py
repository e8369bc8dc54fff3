"""A snapshot read from its files: the metadata's JSON, and the manifests that it lists."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

from tests.audit import avro

Get = Callable[[str], bytes]


@dataclass(frozen=True)
class Snapshot:
    """`root` is where the data's paths begin, '' or ending in a slash; `segments` are manifests by id.

    A segment's pointer, which no manifest has, is its `manifest_path`. Paths lead to where the data is.
    """

    name: str
    collection: int
    format_version: int
    root: str
    partitions: dict[int, str]
    segments: dict[int, dict[str, Any]]

    def of(self, partitions: Collection[str] | None) -> "Snapshot":
        """What lies in these partitions, or concerns all of them; everything without a choice."""
        unwanted = {number for number, name in self.partitions.items() if name not in (partitions or ())}
        if partitions is None:
            return self
        kept = {
            number: each for number, each in self.segments.items() if each["partition_id"] not in unwanted
        }
        return replace(self, segments=kept)


def read(get: Get, key: str) -> Snapshot:
    """The snapshot whose metadata lies at a key; a bundle is read where it was opened."""
    metadata = json.loads(get(key))
    opened = key.rpartition("snapshots/")[0]
    own = metadata["layout"] == "SnapshotLayoutSelfContained"
    written = _written_root(metadata["snapshot_info"]["s3_location"]) if own else opened

    def moved(path: str) -> str:
        if not path.startswith(written):
            raise ValueError(f"{path} does not lie below {written}")
        return opened + path.removeprefix(written)

    version = metadata.get("format_version", 0)
    segments = [avro.manifest(get(moved(each)), version) for each in metadata["manifest_list"]]
    found = {each["segment_id"]: _moved(each, moved) for each in segments}
    for pointer in metadata.get("storagev2_manifest_list", []):
        found[int(pointer["segment_id"])]["manifest_path"] = _pointer(pointer["manifest"], moved)
    if sorted(found) != sorted(map(int, metadata["segment_ids"])):
        raise ValueError("segment_ids and manifests differ")
    return Snapshot(
        name=metadata["snapshot_info"]["name"],
        collection=int(metadata["snapshot_info"]["collection_id"]),
        format_version=version,
        root=opened + "files/" if own else opened,
        partitions={int(number): name for name, number in metadata["collection"]["partitions"].items()},
        segments=found,
    )


def _written_root(location: str) -> str:
    """Where a bundle was when it was written: what its location has between bucket and `snapshots/`."""
    below_bucket = location.partition("://")[2].partition("/")[2]
    return below_bucket.rpartition("snapshots/")[0]


def _moved(value: Any, moved: Callable[[str], str]) -> Any:
    if isinstance(value, list):
        return [_moved(each, moved) for each in value]
    if not isinstance(value, dict):
        return value
    return {name: _member(name, each, moved) for name, each in value.items()}


def _member(name: str, value: Any, moved: Callable[[str], str]) -> Any:
    if name == "log_path":
        return moved(value)
    if name in ("index_file_paths", "files"):
        return [moved(each) for each in value]
    return _moved(value, moved)


def _pointer(text: str, moved: Callable[[str], str]) -> str:
    if not text.startswith("{"):
        return moved(text)
    pointer = json.loads(text)
    return json.dumps({**pointer, "base_path": moved(pointer["base_path"])})
