"""Ids of a restore from Milvus's own allocator (architecture, decision 3)."""

from collections.abc import Callable, Collection

from stores.ids import Occupied, ScreenedIds
from stores.root_coord import RootCoord

Taken = Callable[[int, int], Collection[int]]
"""The ids from first to last that exist already."""

_HIGHEST = 2**63 - 1


class RootCoordIds(ScreenedIds):
    """Gives ids that RootCoord gives to nobody else.

    They are checked all the same: another cluster's records, brought here by hand, have ids that this
    cluster's allocator may still be on its way to. Its ids only rise, so one look above the first is enough.
    """

    def __init__(
        self,
        root_coord: RootCoord,
        taken: Taken = lambda _first, _last: (),
        occupied: Occupied = lambda _: False,
        block_size: int = 1,
    ) -> None:
        super().__init__(occupied, block_size)
        self._root_coord = root_coord
        self._look = taken
        self._lowest: int | None = None

    def _block(self, size: int) -> range:
        block = self._root_coord.allocate(size)
        if self._lowest is None or block.start < self._lowest:
            self._lowest = block.start
            self._taken = frozenset(self._look(block.start, _HIGHEST))
        return block
