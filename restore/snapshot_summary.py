"""What `snapshot list` and `snapshot describe` tell. Ids are text, since they exceed 2^53; sizes in bytes."""

from typing import Literal

from formats.model import Model

State = Literal["unknown", "pending", "committed", "deleting"]
Recorded = Literal["milvus", "milvus-restore"]
"""Whose record it is: Milvus knows and protects the snapshot, or does not."""


class SnapshotEntry(Model):
    """A snapshot by its record. Database and collection are None when the catalog has the collection no more.

    `created_at` is ISO 8601, UTC; `age_seconds` counts from it; `pins` are those that have not expired.
    """

    name: str
    snapshot_id: str
    database: str | None
    collection: str | None
    collection_id: str
    state: State
    created_at: str
    age_seconds: int
    pins: int
    recorded: Recorded
    metadata: str


class Pin(Model):
    """Something that keeps a snapshot from being dropped; it never expires without `expires_at`."""

    pin_id: str
    expires_at: str | None
    expired: bool


class PartitionSummary(Model):
    """A partition as the snapshot has it."""

    name: str
    partition_id: str
    segments: int = 0
    rows: int = 0


class IndexSummary(Model):
    """An index as the snapshot has it; `builds` are segments that bring their build along."""

    name: str
    field: str
    index_type: str
    index_id: str
    builds: int = 0


class SnapshotSummary(Model):
    """A snapshot by its files, and by its record where the catalog has one.

    `objects` and `bytes` count what a restore of all of it would copy, as the manifests record it.
    """

    name: str
    snapshot_id: str
    database: str
    collection: str
    collection_id: str
    description: str
    state: State
    recorded: Recorded | None
    created_at: str
    age_seconds: int
    format_version: int
    shards: int
    segments: int
    rows: int
    objects: int
    bytes: int
    partitions: tuple[PartitionSummary, ...]
    indexes: tuple[IndexSummary, ...]
    pins: tuple[Pin, ...]
    sealed: bool
    metadata: str
