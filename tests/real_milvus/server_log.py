"""What Milvus's log says that it did."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

_BUILT: Final = re.compile(r'"Successfully build index"\].*?\[Collection=(\d+)\]')
_LOADED: Final = re.compile(
    r'"updateSegmentIndex done"\].*?\[collectionID=(\d+)\].*?\[segmentID=(\d+)\] \[fieldID=(\d+)\]'
)
_COLLECTED: Final = '"start recycleUnusedIndexFiles"'


@dataclass(frozen=True)
class ServerLog:
    """A stretch of a server's log."""

    text: str

    def builds(self, collection: int) -> int:
        """How many index builds it ran for a collection."""
        return Counter(_BUILT.findall(self.text))[str(collection)]

    def loaded_indexes(self, collection: int) -> set[tuple[int, int]]:
        """Segment and field of every index that a query node loaded the files of."""
        return {
            (int(segment), int(field))
            for of, segment, field in _LOADED.findall(self.text)
            if int(of) == collection
        }

    @property
    def collections(self) -> int:
        """How many rounds of its garbage collection have begun."""
        return self.text.count(_COLLECTED)
