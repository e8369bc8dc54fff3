"""Ids of a restore, each given once (architecture, decision 3).

Without Milvus's allocator (stores/milvus_ids.py) they come from a counter of our own in etcd, over a range
that Milvus's clock-based allocator never reaches.
"""

import uuid
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection
from typing import Protocol

from formats.keys import MetaKeys
from restore.errors import StoreUnavailable
from stores.ports import Guard, MetadataStore, ObjectStore, Transaction

FIRST = 2**40
LAST = 2**41 - 1

BLOCK = 256
"""Ids to take from the counter at once when many are wanted: one transaction for dozens of segments."""

_TRIES = 100
"""Lost races in a row before giving up for now; each loss means that another restore got its ids."""

_BUILD_FOLDERS = ("index_files", "text_log", "json_key_index_log", "json_stats/2", "json_stats/3")

Occupied = Callable[[range], bool]


class IdSource(Protocol):
    """Where a restore's ids come from."""

    def allocate(self, count: int) -> list[int]:
        """Return `count` ids that nobody else has, in rising order."""


class ScreenedIds(ABC):
    """An IdSource over blocks of ids; passes over occupied blocks and over ids in use."""

    def __init__(self, occupied: Occupied, block_size: int) -> None:
        self._taken: Collection[int] = frozenset()
        self._occupied = occupied
        self._block_size = block_size
        self._free: deque[int] = deque()

    def allocate(self, count: int) -> list[int]:
        """Return `count` new ids in rising order; what the source of the blocks raises."""
        while len(self._free) < count:
            block = self._block(max(self._block_size, count - len(self._free)))
            if not self._occupied(block):
                self._free += (each for each in block if each not in self._taken)
        return [self._free.popleft() for _ in range(count)]

    @abstractmethod
    def _block(self, size: int) -> range:
        """Take so many consecutive ids, all higher than those of the block before."""


class IdAllocator(ScreenedIds):
    """Gives ids of our own counter, each once; StoreUnavailable when the counter is too contended."""

    def __init__(
        self,
        metadata: MetadataStore,
        keys: MetaKeys,
        taken: Collection[int] = (),
        occupied: Occupied = lambda _: False,
        block_size: int = 1,
    ) -> None:
        super().__init__(occupied, block_size)
        self._metadata = metadata
        self._key = keys.id_counter
        self._taken = frozenset(taken)

    def _block(self, size: int) -> range:
        for _ in range(_TRIES):
            record = self._metadata.get(self._key)
            first = int(record.value.split()[0]) if record else FIRST
            if first + size > LAST:
                raise StoreUnavailable(f"the id counter {self._key} is at {first}, its range ends at {LAST}")
            guard = Guard(self._key, record.mod_revision if record else 0)
            # The value names its writer: when the answer is lost, reading it back tells whose write it was.
            value = f"{first + size} {uuid.uuid4()}".encode()
            if self._metadata.commit(Transaction([guard], {self._key: value})):
                return range(first, first + size)
        raise StoreUnavailable(f"the id counter {self._key} was changed by others {_TRIES} times in a row")


def builds_in_store(objects: ObjectStore, bucket: str, root: str) -> Occupied:
    """Tell whether index files of a block of build ids lie in the bucket already.

    They do when etcd was lost but the objects were not. All ids of either source have equally many digits,
    so one short listing per folder answers for a whole block.
    """

    def occupied(block: range) -> bool:
        return any(
            _has_build(objects, bucket, f"{root}/{each}/".lstrip("/"), block) for each in _BUILD_FOLDERS
        )

    return occupied


def _has_build(objects: ObjectStore, bucket: str, folder: str, block: range) -> bool:
    after = f"{folder}{block.start}"
    first = next(objects.scan(bucket, folder, start_after=after), None)
    return first is not None and first.key < f"{folder}{block.stop}"
