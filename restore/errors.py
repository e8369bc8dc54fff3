"""The failures that a restore names.

RestoreError                       formats/errors.py
├── InvalidRequest                 formats/errors.py
├── SnapshotCorrupt                formats/errors.py
├── CatalogCorrupt                 formats/errors.py
├── UnsupportedFormat              formats/errors.py
├── SnapshotNotFound
├── SnapshotExists
├── SnapshotPinned
├── CollectionNotFound
├── FlushRefused
├── TargetNotFound
├── TargetNotEmpty
├── TargetMismatch
├── TargetBusy
├── ObjectMissing
├── ObjectMismatch
├── AccessDenied
├── Fenced
├── RollbackIncomplete
└── StoreUnavailable               transient: retried, never the restore's own failure

A class's name is the `type` of the workflow's failure (architecture, section 4).
"""

from typing import ClassVar

from formats.errors import (
    CatalogCorrupt,
    InvalidRequest,
    RestoreError,
    SnapshotCorrupt,
    UnsupportedFormat,
)

__all__ = [
    "AccessDenied",
    "CatalogCorrupt",
    "CollectionNotFound",
    "Fenced",
    "FlushRefused",
    "InvalidRequest",
    "ObjectMismatch",
    "ObjectMissing",
    "RestoreError",
    "RollbackIncomplete",
    "SnapshotCorrupt",
    "SnapshotExists",
    "SnapshotNotFound",
    "SnapshotPinned",
    "StoreUnavailable",
    "TargetBusy",
    "TargetMismatch",
    "TargetNotEmpty",
    "TargetNotFound",
    "UnsupportedFormat",
]


class SnapshotNotFound(RestoreError):
    """The metadata JSON, its bucket or the catalog's record is absent, or not committed."""


class SnapshotExists(RestoreError):
    """The collection has a snapshot of this name, or one that is being made."""


class SnapshotPinned(RestoreError):
    """Somebody holds the snapshot, so it cannot be dropped; the message names the pins."""


class CollectionNotFound(RestoreError):
    """The database or collection to take a snapshot of is absent."""


class FlushRefused(RestoreError):
    """Milvus will not flush the collection; the message gives its reason."""


class TargetNotFound(RestoreError):
    """The target's database or collection is absent."""


class TargetNotEmpty(RestoreError):
    """The target holds segments, perhaps those of an earlier finished restore."""


class TargetMismatch(RestoreError):
    """Fields, types, shards, partitions or indexes of the target differ from the snapshot's."""


class TargetBusy(RestoreError):
    """Another restore owns the target."""


class ObjectMissing(RestoreError):
    """An object that a manifest or the plan names is absent."""


class ObjectMismatch(RestoreError):
    """An object's size or content differs from the recorded one or from its source's."""


class AccessDenied(RestoreError):
    """A store or catalog refuses the caller, or cannot be reached when a restore begins."""


class Fenced(RestoreError):
    """The restore lost its reservation of the target, so it may write nothing more."""


class RollbackIncomplete(RestoreError):
    """The rollback could not finish; the message lists what is left."""


class StoreUnavailable(RestoreError):
    """A store timed out, throttled, or dropped the connection; the same call may succeed later."""

    permanent: ClassVar[bool] = False
    retry_after: float | None = None
    """Seconds for which the store asked to be left alone, where it said so."""
