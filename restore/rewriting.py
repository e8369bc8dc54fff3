"""Giving restored logs the ids of their target, for clusters older than Milvus 2.4.

Such a cluster takes collection, partition and segment of a log from its descriptor event when it builds an
index, and then puts the index where the source's would lie (real-milvus.md, section 4).
"""

from dataclasses import dataclass
from typing import ClassVar

from formats.descriptor import HEAD, LogOwner, with_owner
from formats.layouts import layout_of
from formats.segment import SegmentManifest
from restore.errors import UnsupportedFormat
from restore.plan import Plan, PlannedObject

_REWRITTEN = frozenset({"insert", "delta"})
"""What begins with a descriptor whose ids matter; those in index files are never looked at."""


@dataclass(frozen=True, slots=True)
class DescriptorEdit:
    """An edit that gives a log of `size` bytes another owner; `name` is for messages.

    Raises what with_owner raises for bytes that are no such log.
    """

    owner: LogOwner
    size: int
    name: str
    length: ClassVar[int] = HEAD

    def __call__(self, head: bytes) -> bytes:
        """Return the same bytes but for the owner's ids."""
        return with_owner(head, self.owner, size=self.size, name=self.name)


def descriptor_edit(plan: Plan, planned: PlannedObject, size: int) -> DescriptorEdit | None:
    """Return what becomes of an object of the source, of so many bytes; None when it stays as it is.

    The new owner is that of the target's path, which is all that Milvus will know the log by.
    """
    if not plan.request.rewrite_descriptors or planned.kind not in _REWRITTEN:
        return None
    root = plan.target.root.rstrip("/")
    parts = planned.target.removeprefix(f"{root}/" if root else "").split("/")
    collection, partition, segment = map(int, parts[layout_of(parts).ids])
    name = f"s3://{plan.snapshot.bucket}/{planned.source}"
    return DescriptorEdit(LogOwner(collection, partition, segment), size, name)


def require_descriptors(manifest: SegmentManifest) -> None:
    """Return when the segment's logs may have descriptors, as far as its manifest tells.

    Raises UnsupportedFormat for packed column groups and manifest-based segments, whose files are Parquet.
    The deletes of an L0 segment are written alike in all storage versions before 3.
    """
    version = manifest.storage_version
    if manifest.manifest_path or (version != 0 and manifest.binlog_files):
        raise UnsupportedFormat(
            f"segment {manifest.segment_id} has storage version {version}, whose files have no descriptor "
            "event, as no cluster older than Milvus 2.4 reads them; restore to a newer one, without "
            "rewrite_descriptors"
        )
