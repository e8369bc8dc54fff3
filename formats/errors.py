"""Errors of reading what Milvus wrote.

RestoreError                 every failure that a restore names; `permanent`: a retry cannot help
├── InvalidRequest           what was asked for cannot be meant, a path outside its root included
├── SnapshotCorrupt          a snapshot file is absent, damaged or contradicts itself
├── CatalogCorrupt           a cluster's records of a collection contradict each other
└── UnsupportedFormat        a version that this build does not know

The rest of the tree grows in restore/errors.py. A class's name is the `type` of the workflow's
failure, so names are part of the public contract.
"""

from typing import ClassVar


class RestoreError(Exception):
    """One sentence for an operator: what, where, found, expected."""

    permanent: ClassVar[bool] = True


class InvalidRequest(RestoreError):
    """The request names something unknown, out of range, or outside its root."""


class SnapshotCorrupt(RestoreError):
    """The snapshot's metadata or a segment manifest is absent, damaged or contradicts itself."""


class CatalogCorrupt(RestoreError):
    """A cluster's own records of a collection are incomplete or contradict each other."""


class UnsupportedFormat(RestoreError):
    """The snapshot uses a format version or storage version that this build does not know."""
