"""Whether the files of indexes add up to what was recorded of them: of single files nothing is recorded.

Milvus records of each build how many bytes its files have together when it has stored them. Vector and
scalar builds from before the engine's versions (0) counted bytes before they were encoded, and some text
and JSON indexes have no size at all: of those nothing can be told. Nor does the format promise that the
recorded size is that of the files (snapshot-format.md, section 2), so the builds of one kind vouch for each
other: where most add up, one that does not is damaged. Sizes in bytes.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from posixpath import commonpath
from typing import NamedTuple

from formats.segment import SegmentManifest
from restore.errors import ObjectMismatch
from restore.plan import SegmentPlan

_V3 = 3
_SHOWN = 20


class _Build(NamedTuple):
    kind: str
    what: str
    files: tuple[str, ...]
    recorded: int


class DoubtfulBuild(NamedTuple):
    """A build whose files, by their sizes, do not add up to what was recorded, and that in words."""

    files: Mapping[str, int]
    told: str


def doubtful_builds(segments: Sequence[SegmentPlan], bucket: str) -> tuple[DoubtfulBuild, ...]:
    """Return the builds whose objects as found have other sizes together than their manifests recorded.

    Raises ObjectMismatch naming build and files where at least as many of its kind do add up. A seal knows
    each file, so sealed segments are passed over.
    """
    weighed = [each for segment in segments if not segment.sealed for each in _weighed(segment, bucket)]
    agree = Counter(kind for kind, doubt in weighed if doubt is None)
    differ = Counter(kind for kind, doubt in weighed if doubt is not None)
    doubts = [(kind, doubt) for kind, doubt in weighed if doubt is not None]
    for kind, doubt in doubts:
        if agree[kind] >= differ[kind]:
            raise ObjectMismatch(f"{doubt.told}; {_ADVICE}")
    return tuple(doubt for _, doubt in doubts)


def other_sizes(number: int, first: str) -> str | None:
    """Return the warning about builds whose recorded sizes are not those of their files, None for none."""
    if not number:
        return None
    whose = f"the recorded sizes of {number} indexes are not those of their files"
    return f"{whose}, which were restored as they are: {first}"


_ADVICE = (
    "if the snapshot is known to be good, seal it with `milvus-restore snapshot seal` and restore it again"
)


def _weighed(segment: SegmentPlan, bucket: str) -> Iterator[tuple[str, DoubtfulBuild | None]]:
    """Yield the kind of each build that has a recorded size, with the doubt about it if there is one."""
    sizes = {each.key: each.size for each in segment.found}
    for build in _recorded(segment.source):
        files = {file: sizes[file] for file in build.files}
        total = sum(files.values())
        told = _told(build, total, segment.source.segment_id, bucket)
        yield build.kind, None if total == build.recorded else DoubtfulBuild(files, told)


def _recorded(manifest: SegmentManifest) -> Iterator[_Build]:
    for build in _builds(manifest):
        if build.recorded and build.files:
            yield build._replace(files=tuple(dict.fromkeys(build.files)))


def _builds(manifest: SegmentManifest) -> Iterator[_Build]:
    for index in manifest.index_files:
        exact = index.current_index_version > 0
        what = f"index {index.index_name!r}, build {index.build_id}"
        yield _Build("index", what, index.index_file_paths, index.serialized_size if exact else 0)
    if manifest.storage_version == _V3:
        return  # their entries may name no object; the segment's own manifest does
    for text in manifest.text_index_files:
        yield _Build("text", f"text index of field {text.field_id}", text.files, text.log_size)
    for json in manifest.json_key_index_files:
        yield _Build("json", f"JSON index of field {json.field_id}", json.files, json.log_size)


def _told(build: _Build, total: int, segment: int, bucket: str) -> str:
    return (
        f"the files of {build.what} of segment {segment}, {_named(build.files, bucket)}, have {total} bytes "
        f"together, expected {build.recorded} as its manifest recorded"
    )


def _named(files: tuple[str, ...], bucket: str) -> str:
    if len(files) == 1:
        return f"s3://{bucket}/{files[0]}"
    folder = commonpath(files)
    names = [file[len(folder) + 1 :] for file in files]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more} below s3://{bucket}/{folder}"
