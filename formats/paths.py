"""Where a segment's objects lie, and where they go (segment-restore.md, section 2.2).

A path is an object's full key: root, a keyword component that tells the kind, then ids by position.
Only collection, partition, segment and build ids change; log ids, field ids, versions and file names
are kept, and index ids never appear in a path.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from formats.errors import InvalidRequest, RestoreError, SnapshotCorrupt
from formats.layouts import LAYOUTS, Layout, layout_of

_ODD = frozenset(("", ".", ".."))
_STATS = "json_stats."


@dataclass(frozen=True)
class Relocation:
    """How the paths of one segment change: roots, target ids, and new build ids by the source's.

    Roots may end in a slash; an empty one is the bucket itself. A build id that `builds` lacks is
    kept, and so is 0, which stands for no build.
    """

    source_root: str
    target_root: str
    collection_id: int
    partition_id: int
    segment_id: int
    builds: Mapping[int, int]

    # Millions of paths go through a relocation per segment, so its texts are made once.

    @cached_property
    def source_folder(self) -> str:
        """The source root with one closing slash, or nothing."""
        return _folder(self.source_root)

    @cached_property
    def target_folder(self) -> str:
        """The target root with one closing slash, or nothing."""
        return _folder(self.target_root)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Target collection, partition and segment id as path components."""
        return (str(self.collection_id), str(self.partition_id), str(self.segment_id))

    @cached_property
    def build_names(self) -> Mapping[str, str]:
        """The new build ids as path components by the source's."""
        return {str(source): str(target) for source, target in self.builds.items() if source}


def relocate(path: str, move: Relocation) -> str:
    """Returns the target key of an object (segment-restore.md, section 2.2).

    InvalidRequest when the path is not below the source root or climbs out of it; SnapshotCorrupt when
    it has no known keyword, too few components, or an id that is not a number.
    """
    source = move.source_folder
    if not path.startswith(source):
        raise _outside(path, move.source_root)
    parts = path[len(source) :].split("/")
    if not _ODD.isdisjoint(parts):
        raise _odd(path, parts, move.source_root)
    if parts[0] not in LAYOUTS:
        parts = parts[_keyword(parts, path) :]
    layout = layout_of(parts)
    if not layout.fits(parts):
        raise _misshapen(path, layout)
    parts[layout.ids] = move.names[layout.named]
    if layout.build:
        build = parts[layout.build]
        parts[layout.build] = move.build_names.get(build, build)
    return move.target_folder + "/".join(parts)


def prefixes(paths: Iterable[str]) -> tuple[str, ...]:
    """Returns the fewest folders that hold all the paths: one per segment and kind, sorted, ending in '/'.

    A large object's folder is its field's, which the segments of a partition share. SnapshotCorrupt
    when a path has no known layout.
    """
    return tuple(sorted({_segment_folder(path) for path in paths}))


def base_name(path: str) -> str:
    """Returns the last component, which is all that etcd keeps of an index file or a text index file."""
    return path.rpartition("/")[2]


def below_field(path: str) -> str:
    """Returns a JSON index path from below its field's folder, as etcd keeps it (segment-restore.md, 3.4).

    SnapshotCorrupt when the path is that of no JSON index.
    """
    parts = path.split("/")
    for at, (part, below) in enumerate(pairwise(parts)):
        if part == "_stats" and below.startswith(_STATS) and len(parts) > at + 2:
            return "/".join(parts[at + 2 :])
    start, layout = _located(parts, path)
    if parts[start].startswith("json_"):
        return "/".join(parts[start + layout.folder + 1 :])
    raise SnapshotCorrupt(
        f"path {path!r} is named as a file of a JSON index, but lies neither below json_stats, nor "
        f"json_key_index_log, nor a segment's _stats/{_STATS}{{field}}; take the snapshot again"
    )


def _folder(root: str) -> str:
    root = root.rstrip("/")
    return f"{root}/" if root else ""


def _segment_folder(path: str) -> str:
    parts = path.split("/")
    start, layout = _located(parts, path)
    return "/".join(parts[: start + layout.folder]) + "/"


def _located(parts: list[str], path: str) -> tuple[int, Layout]:
    """Where the keyword is; without a root at hand, a keyword counts when its layout follows."""
    for start, part in enumerate(parts):
        if part in LAYOUTS:
            layout = layout_of(parts[start : start + 4])
            if layout.fits(parts[start:]):
                return start, layout
    raise _misshapen(path, layout_of(parts[_keyword(parts, path) :]))


def _keyword(parts: list[str], path: str) -> int:
    for start, part in enumerate(parts):
        if part in LAYOUTS:
            return start
    raise SnapshotCorrupt(
        f"path {path!r} has none of the folders {', '.join(LAYOUTS)}, one of which tells an object's kind; "
        "take the snapshot again"
    )


def _misshapen(path: str, layout: Layout) -> SnapshotCorrupt:
    return SnapshotCorrupt(
        f"path {path!r} has an invalid structure: expected {layout.shape} with numbers as ids; "
        "take the snapshot again"
    )


def _odd(path: str, parts: list[str], root: str) -> RestoreError:
    if ".." in parts:
        return _outside(path, root)
    return SnapshotCorrupt(
        f"path {path!r} has an empty or '.' component below the root {root!r}, as no object has; "
        "take the snapshot again"
    )


def _outside(path: str, root: str) -> InvalidRequest:
    return InvalidRequest(
        f"path {path!r} lies outside the source root {root!r}; set the source profile's root_path to the "
        "root that the snapshot was taken under"
    )
