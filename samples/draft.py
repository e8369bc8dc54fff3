"""A segment being made: its ids, its traits and the objects put so far."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from samples import schema
from samples.binlog import Place
from samples.columns import Rows, rows
from samples.loon_manifest import Columns
from samples.shape import Oddity, SampleShape, StorageVersion

SEGMENT_OVERHEAD = 35_000
"""Bytes of a segment beside its rows: Parquet footers and descriptors of about 45 objects."""

ROW_OVERHEAD = 250
"""Bytes of a row in all objects beside twice the embedding (its column and its index)."""

FEWEST_ROWS = 16


@dataclass(slots=True)
class Draft:
    """One segment of a sample; which features it has follows from its number, so that all occur.

    `columns` are those that a StorageV3 segment's own manifest is to name.
    """

    shape: SampleShape
    number: int
    objects: dict[str, bytes] = field(default_factory=dict)
    columns: list[Columns] = field(default_factory=list)
    ids: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = count(self.segment + 1)

    @property
    def segment(self) -> int:
        """The segment's id."""
        return self.shape.segment_id(self.number)

    @property
    def level_zero(self) -> bool:
        """True for a segment of deletes only; these come after all others."""
        return self.number >= self.shape.segments

    @property
    def storage(self) -> StorageVersion:
        """How the segment's data is stored."""
        return self.shape.storage_version(self.number)

    @property
    def oddity(self) -> Oddity | None:
        """What is unusual about it."""
        return self.shape.oddities.get(self.number)

    @property
    def imported(self) -> bool:
        """True when its rows count as inserted at the moment when an import was committed."""
        return self.number % 5 == 1 and self.shape.format_version >= 3

    @property
    def foldered(self) -> bool:
        """True when all its files lie below one folder: StorageV3, but not the deletes of all partitions."""
        return self.storage == 3 and self.partition != -1

    @property
    def recorded(self) -> bool:
        """True when the snapshot lists logs; of every other StorageV3 segment its own manifest alone does."""
        odd = self.number % 2 == 1 or self.oddity == "successor's deletes"
        return odd or self.level_zero or not self.foldered

    @property
    def fields(self) -> tuple[int, ...]:
        """The fields that it has logs of: large objects need StorageV3, and a late field may be missing."""
        left_out = set() if self.storage == 3 else {schema.MANUAL}
        if self.oddity == "older schema":
            left_out.add(schema.RATINGS)
        return tuple(field for field in schema.field_types(self.shape) if field not in left_out)

    @property
    def partition(self) -> int:
        """The partition's id; every other L0 segment belongs to all partitions (-1)."""
        if self.level_zero and (self.number - self.shape.segments) % 2 == 0:
            return -1
        ids = list(self.shape.partition_ids.values())
        return ids[self.number % len(ids)]

    @property
    def channel(self) -> str:
        """The vchannel; over the segments every partition meets every shard."""
        return self.shape.virtual_channels[self.number // self.shape.partitions % self.shape.shards]

    def place(self, field_id: int = 0) -> Place:
        """Whose data a log of a field holds."""
        return Place(self.shape.collection_id, self.partition, self.segment, field_id)

    def owner(self, segment: int | None = None) -> str:
        """The ids that begin or end most paths; another segment's where one is given."""
        return f"{self.shape.collection_id}/{self.partition}/{segment or self.segment}"

    def log_folder(self, kind: str, field_id: int = 0, segment: int | None = None) -> str:
        """Where logs of a kind (insert_log, stats_log, delta_log, bm25_stats) lie."""
        if self.foldered and kind != "insert_log":
            below = {
                "stats_log": f"_stats/bloom_filter.{field_id}",
                "delta_log": "_delta",
                "bm25_stats": f"_stats/bm25.{field_id}",
            }
            return f"insert_log/{self.owner(segment)}/{below[kind]}"
        field_folder = "" if kind == "delta_log" else f"/{field_id}"
        return f"{kind}/{self.owner(segment)}{field_folder}"

    def rows(self) -> Rows:
        """The segment's rows, of about its share of the sample's bytes."""
        if self.oddity in ("no rows", "deletes only"):
            return rows(self.shape, self.number, 0)
        share = self.shape.megabytes * 1e6 / self.shape.segments
        mean = (share - SEGMENT_OVERHEAD) / (8 * self.shape.dim + ROW_OVERHEAD)
        # Segments of one collection are never of one size; over eleven of them this is even.
        uneven = 1 + 0.03 * (self.number * 7 % 11 - 5)
        return rows(self.shape, self.number, max(FEWEST_ROWS, int(mean * uneven)))

    def random_bytes(self, size: int) -> bytes:
        """Bytes that no compression shrinks, the same at every making of this object."""
        return np.random.default_rng([self.shape.seed, self.number, len(self.objects)]).bytes(size)

    def put(self, path: str, content: bytes) -> str:
        """The full key of an object, kept under the root path; a path twice is a mistake of ours."""
        key = self.shape.key(path)
        if key in self.objects:
            raise ValueError(f"the sample makes {key} twice")
        self.objects[key] = content
        return key
