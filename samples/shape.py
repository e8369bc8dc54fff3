"""How a sample collection looks, and every id in it as a function of its shape."""

from typing import Annotated, Literal

from pydantic import Field

from formats.model import Model
from formats.segment import Int64

BORN_MS = 1_767_225_600_000
"""When every sample was written: 2026-01-01, as Unix milliseconds."""

SEGMENT_IDS = 1_000
"""Ids set aside for one segment: itself, then its logs and builds."""

DAY_MS = 86_400_000

SEGMENT_MS = 60_000
"""Each segment's rows begin this much after those of the one before."""

Name = Annotated[str, Field(min_length=1, max_length=255)]
Count = Annotated[int, Field(ge=1)]
StorageVersion = Literal[0, 2, 3]
FormatVersion = Literal[0, 1, 2, 3, 4]
Oddity = Literal[
    "no rows", "deletes only", "empty object", "older schema", "successor's deletes", "newer manifest"
]
"""What a segment can be beside usual: `older schema` lacks the logs of a field that was added later,
`successor's deletes` has a delta log of a segment that it was compacted to, and `newer manifest` a
StorageV3 manifest of a layout that says nothing to readers of version 1."""


def tso(milliseconds: int, logical: int = 0) -> int:
    """The hybrid timestamp of a moment: Unix milliseconds << 18 | logical counter."""
    return milliseconds << 18 | logical


class SampleShape(Model):
    """What decides a sample down to its last byte: equal shapes give equal bytes.

    `megabytes` (10^6 bytes) is the aim for all data objects together and met within about 10 % from
    0.3 MB a segment on. `l0_segments` come on top of `segments`. `root` is the object store's root path,
    '' for the bucket itself. Segments take the storage versions in turns; `oddities` are by a segment's
    number. `full_text` adds a BM25 function with its output, `large_text` a field of large objects, which
    only segments of StorageV3 have. `born_ms` is Unix milliseconds. Of an older `format_version` segments
    have nothing that it cannot hold.
    """

    name: Name = "sample"
    database: Name = "default"
    snapshot: Name = "nightly"
    segments: Count = 24
    l0_segments: Annotated[int, Field(ge=0)] = 0
    partitions: Count = 4
    shards: Annotated[int, Field(ge=1, le=16)] = 2
    megabytes: Annotated[float, Field(gt=0)] = 200
    dim: Annotated[int, Field(ge=2)] = 128
    seed: Annotated[int, Field(ge=0)] = 7
    format_version: FormatVersion = 4
    storage_versions: Annotated[tuple[StorageVersion, ...], Field(min_length=1)] = (0,)
    oddities: dict[int, Oddity] = Field(default_factory=dict)
    full_text: bool = False
    large_text: bool = False
    root: Annotated[str, Field(max_length=255)] = "files"
    collection_id: Int64 = tso(BORN_MS)
    born_ms: Annotated[int, Field(ge=DAY_MS, lt=2**46)] = BORN_MS

    @property
    def all_segments(self) -> int:
        """Segments with rows, then those of deletes only (L0)."""
        return self.segments + self.l0_segments

    @property
    def partition_ids(self) -> dict[str, int]:
        """The partitions by name, `_default` first."""
        names = ["_default", *(f"part_{number}" for number in range(1, self.partitions))]
        return {name: self.collection_id + 1 + number for number, name in enumerate(names)}

    @property
    def physical_channels(self) -> tuple[str, ...]:
        """The pchannel of each shard, by shard index."""
        return tuple(f"by-dev-rootcoord-dml_{shard}" for shard in range(self.shards))

    @property
    def virtual_channels(self) -> tuple[str, ...]:
        """The vchannel of each shard, by shard index."""
        pchannels = enumerate(self.physical_channels)
        return tuple(f"{pchannel}_{self.collection_id}v{shard}" for shard, pchannel in pchannels)

    @property
    def snapshot_id(self) -> int:
        """The snapshot's id, which names its metadata file."""
        return self.collection_id + SEGMENT_IDS - 1

    def index_id(self, number: int) -> int:
        """The id of the collection's index definition by its place in `samples.schema.INDEXES`."""
        return self.collection_id + SEGMENT_IDS // 2 + number

    def segment_id(self, number: int) -> int:
        """The id of a segment; those up to the next one are its logs' and builds'."""
        return self.collection_id + SEGMENT_IDS * (1 + number)

    def storage_version(self, number: int) -> StorageVersion:
        """How a segment's data is stored."""
        return self.storage_versions[number % len(self.storage_versions)]

    def write_time(self, number: int) -> int:
        """When the first row of a segment was written, hybrid; one row a millisecond follows it."""
        return tso(self.born_ms - DAY_MS + number * SEGMENT_MS)

    def key(self, path: str) -> str:
        """The full key of what lies at a path below the root."""
        return f"{self.root}/{path}" if self.root else path
