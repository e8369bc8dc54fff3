"""Whether the files of an index add up to what was recorded of them: of single files nothing is recorded.

Milvus records of each build how many bytes its files have together when it has stored them. Vector and
scalar builds from before the engine's versions (0) counted bytes before they were encoded, and some text
and JSON indexes have no size at all: of those nothing can be told. Sizes in bytes.
"""

from collections.abc import Iterator, Mapping
from posixpath import commonpath
from typing import NamedTuple

from formats.segment import SegmentManifest
from restore.errors import ObjectMismatch
from restore.plan import SegmentPlan

_V3 = 3
_SHOWN = 20


class _Build(NamedTuple):
    what: str
    files: tuple[str, ...]
    recorded: int


def require_built_sizes(segment: SegmentPlan, bucket: str) -> None:
    """Return when the objects found of each build have as many bytes together as its manifest recorded.

    Raises ObjectMismatch naming the build and its files. A seal knows each file, so sealed segments pass.
    """
    sizes = {each.key: each.size for each in segment.found}
    for build in _builds(segment.source):
        if build.recorded and build.files and not segment.sealed:
            _require(build, sizes, f"segment {segment.source.segment_id}", bucket)


def _builds(manifest: SegmentManifest) -> Iterator[_Build]:
    for index in manifest.index_files:
        exact = index.current_index_version > 0
        what = f"index {index.index_name!r}, build {index.build_id}"
        yield _Build(what, index.index_file_paths, index.serialized_size if exact else 0)
    if manifest.storage_version == _V3:
        return  # their entries may name no object; the segment's own manifest does
    for text in manifest.text_index_files:
        yield _Build(f"text index of field {text.field_id}", text.files, text.log_size)
    for json in manifest.json_key_index_files:
        yield _Build(f"JSON index of field {json.field_id}", json.files, json.log_size)


def _require(build: _Build, sizes: Mapping[str, int], segment: str, bucket: str) -> None:
    files = tuple(dict.fromkeys(build.files))
    total = sum(sizes[file] for file in files)
    if total == build.recorded:
        return
    raise ObjectMismatch(
        f"the files of {build.what} of {segment}, {_named(files, bucket)}, have {total} bytes together, "
        f"expected {build.recorded} as its manifest recorded; if the snapshot is known to be good, seal it "
        "with `milvus-restore snapshot seal` and restore it again"
    )


def _named(files: tuple[str, ...], bucket: str) -> str:
    if len(files) == 1:
        return f"s3://{bucket}/{files[0]}"
    folder = commonpath(files)
    names = [file[len(folder) + 1 :] for file in files]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more} below s3://{bucket}/{folder}"
