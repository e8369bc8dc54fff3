"""The layouts of object paths: which component of a path is which id (segment-restore.md, section 2.2)."""

from collections.abc import Mapping
from typing import NamedTuple


class Layout(NamedTuple):
    """Positions in the path of one kind of object, counted from its keyword, which is 0.

    `ids` lie side by side in every layout and are the part `named` of (collection, partition, segment).
    `build` is 0 where a path has no build id. `folder` counts the components of the narrowest folder
    that holds a segment's files of this kind, `least` those of the shortest path.
    """

    shape: str
    ids: slice
    named: slice
    partition: int
    build: int
    folder: int
    least: int

    def fits(self, parts: list[str]) -> bool:
        """True when the path is long enough and its ids are numbers; a partition may be -1 (all of them)."""
        if len(parts) < self.least or (self.build and not _number(parts[self.build])):
            return False
        ids = parts[self.ids]
        if parts[self.partition] == "-1":
            ids.remove("-1")
        return _number("".join(ids))


def _number(text: str) -> bool:
    return text.isdecimal() and text.isascii()


def _read(shape: str) -> Layout:
    parts = shape.split("/")
    names = ("{coll}", "{part}", "{seg}")
    first, *_, last = (name for name in names if name in parts)
    ids = slice(parts.index(first), parts.index(last) + 1)
    return Layout(
        shape=shape,
        ids=ids,
        named=slice(names.index(first), names.index(last) + 1),
        partition=parts.index("{part}"),
        build=parts.index("{build}") if "{build}" in parts else 0,
        folder=ids.stop if "{seg}" in parts else parts.index("{field}") + 1,
        least=len(parts),
    )


_SHAPES = (
    "insert_log/{coll}/{part}/{seg}/{file}",
    "stats_log/{coll}/{part}/{seg}/{field}/{log}",
    "delta_log/{coll}/{part}/{seg}/{log}",
    "bm25_stats/{coll}/{part}/{seg}/{field}/{log}",
    "index_files/{build}/{version}/{part}/{seg}/{file}",
    "index_v1/{coll}/{part}/{seg}/{build}/{version}/{file}",
    "text_log/{build}/{version}/{coll}/{part}/{seg}/{field}/{file}",
    "json_key_index_log/{build}/{version}/{coll}/{part}/{seg}/{field}/{file}",
    "json_stats/{format}/{build}/{version}/{coll}/{part}/{seg}/{field}/{file}",
)
LAYOUTS: Mapping[str, Layout] = {shape.partition("/")[0]: _read(shape) for shape in _SHAPES}
"""The layout that each keyword announces."""

# Large objects belong to a partition: its segments share the folder, and the path has no segment id.
_LOB = _read("insert_log/{coll}/{part}/lobs/{field}/_data/{file}")


def layout_of(parts: list[str]) -> Layout:
    """The layout of a path that begins with a keyword; KeyError when it does not."""
    if len(parts) > 3 and parts[3] == "lobs" and parts[0] == "insert_log":
        return _LOB
    return LAYOUTS[parts[0]]
