"""Which Milvus a cluster is, as far as snapshots are concerned."""

import re

from formats.keys import MetaKeys
from stores.coordinator import running_coordinator
from stores.ports import MetadataStore

_FIRST_WITH_SNAPSHOTS = (2, 6, 15)
"""Where snapshots of the 3.0 line were taken over (snapshot-format.md, section 5.6)."""

_VERSION = re.compile(r"v?(\d+)\.(\d+)\.(\d+)")


def knows_snapshots(store: MetadataStore, keys: MetaKeys) -> bool:
    """True when the cluster's coordinator reads `datacoord-meta/snapshot/` as snapshots.

    Milvus 2.3 takes each key that begins with `datacoord-meta/s` for a segment, and does not start with one
    that is none. So only a running coordinator of a version that has snapshots, or snapshots that are there
    already, prove that it does; a stopped cluster of unknown version does not.
    """
    session = running_coordinator(store, keys)
    version = _parsed(session.version) if session else None
    if version is not None:
        return version >= _FIRST_WITH_SNAPSHOTS
    return next(iter(store.scan(keys.snapshots(), keys_only=True)), None) is not None


def _parsed(text: str) -> tuple[int, int, int] | None:
    match = _VERSION.match(text)
    return (int(match[1]), int(match[2]), int(match[3])) if match else None
