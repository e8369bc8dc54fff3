"""Where an object of a snapshot goes: by position after its kind's folder (segment-restore.md, 2.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

_SEGMENT = {1: "collection", 2: "partition", 3: "segment"}
_INDEXED = {1: "build", 3: "collection", 4: "partition", 5: "segment"}
POSITIONS: dict[str, dict[int, str]] = {
    "insert_log": _SEGMENT,
    "stats_log": _SEGMENT,
    "delta_log": _SEGMENT,
    "bm25_stats": _SEGMENT,
    "index_files": {1: "build", 3: "partition", 4: "segment"},
    "index_v1": {**_SEGMENT, 4: "build"},
    "text_log": _INDEXED,
    "json_key_index_log": _INDEXED,
    "json_stats": {2: "build", 4: "collection", 5: "partition", 6: "segment"},
}


@dataclass(frozen=True)
class Move:
    """From one root to another, each '' or ending in a slash, and the ids at the other end.

    `builds` has the new id of every source build; a build id of 0 stays.
    """

    source_root: str
    target_root: str
    collection: int
    partition: int
    segment: int
    builds: Mapping[int, int]

    def target(self, key: str) -> str:
        """The key in the target; ValueError where the source's key is none of a segment's."""
        if not key.startswith(self.source_root):
            raise ValueError(f"{key} does not lie below {self.source_root}")
        kind, *parts = key.removeprefix(self.source_root).split("/")
        if kind not in POSITIONS:
            raise ValueError(f"{key} is of no kind that a segment has")
        large = kind == "insert_log" and parts[2] == "lobs"
        positions = {1: "collection", 2: "partition"} if large else POSITIONS[kind]
        for position, what in positions.items():
            parts[position - 1] = str(self._id(what, int(parts[position - 1])))
        return self.target_root + "/".join([kind, *parts])

    def build(self, source: int) -> int:
        """The new id of a build."""
        return self.builds[source] if source else 0

    def _id(self, what: str, source: int) -> int:
        return self.build(source) if what == "build" else int(getattr(self, what))
