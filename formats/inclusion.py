"""Which segments a snapshot contains (snapshot-format.md, section 6)."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from formats.errors import CatalogCorrupt
from formats.proto.common_pb2 import Dropped, Importing
from formats.proto.data_pb2 import SegmentInfo

_ALL_PARTITIONS = -1


@dataclass(frozen=True, slots=True)
class Boundary:
    """Where a snapshot ends: a hybrid timestamp per virtual channel, and the partitions that there are."""

    seek: Mapping[str, int]
    partitions: Collection[int]

    def encloses(self, segment: SegmentInfo) -> bool:
        """True for a segment that lives and began before the seek timestamp of its own channel.

        A segment of a dropped partition is on its way out, whatever its own record says. CatalogCorrupt for
        a channel that is not the collection's.
        """
        if segment.state in (Dropped, Importing) or segment.is_importing:
            return False
        if segment.partitionID != _ALL_PARTITIONS and segment.partitionID not in self.partitions:
            return False
        if segment.insert_channel not in self.seek:
            raise CatalogCorrupt(
                f"segment {segment.ID}: insert_channel: expected one of the collection's "
                f"{', '.join(sorted(self.seek)) or 'none'}, found {segment.insert_channel!r}; check the "
                "collection's record in etcd"
            )
        return effective_time(segment) < self.seek[segment.insert_channel]


def effective_time(segment: SegmentInfo) -> int:
    """Return the hybrid timestamp that a segment counts from; 0 when it has neither commit nor position."""
    return segment.commit_timestamp or segment.start_position.timestamp


class Lineage:
    """What was compacted to what, of all segments of a collection that have a record."""

    def __init__(self, segments: Iterable[tuple[int, Iterable[int]]]) -> None:
        self._parents: dict[int, tuple[int, ...]] = {}
        self._children: dict[int, list[int]] = {}
        for segment, sources in segments:
            self._parents[segment] = tuple(sources)
            for source in sources:
                self._children.setdefault(source, []).append(segment)

    def descendants(self, segment: int) -> list[int]:
        """Return every segment that this one was compacted to, directly or not, each once."""
        return _closure(segment, self._children)

    def ancestors(self, segment: int) -> list[int]:
        """Return every segment that this one was compacted from, directly or not, each once."""
        return _closure(segment, self._parents)


def _closure(start: int, steps: Mapping[int, Iterable[int]]) -> list[int]:
    found: dict[int, None] = {}
    waiting = list(steps.get(start, ()))
    while waiting:
        each = waiting.pop(0)
        if each not in found and each != start:
            found[each] = None
            waiting += steps.get(each, ())
    return list(found)
