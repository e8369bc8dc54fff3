"""What CreateSnapshot hands to its activities and gets back."""

from formats.model import Model
from restore.snapshot_request import SnapshotRequest
from restore.snapshot_summary import Recorded


class SnapshotOrder(Model):
    """A snapshot that may be made: its ids, chosen once, and the key of its record.

    `started_at` is Unix milliseconds; `recorded` is the result's.
    """

    request: SnapshotRequest
    workflow_id: str
    snapshot_id: str
    collection_id: str
    record: str
    started_at: int
    recorded: Recorded | None = None


class SnapshotOpening(Model):
    """What open_snapshot works from."""

    request: SnapshotRequest
    workflow_id: str


class SnapshotCount(Model):
    """What a snapshot contains; bytes as found in the store. Heartbeats carry it, too."""

    segments: int = 0
    rows: int = 0
    objects: int = 0
    bytes: int = 0

    def plus(self, other: "SnapshotCount") -> "SnapshotCount":
        """The sum."""
        return SnapshotCount(
            segments=self.segments + other.segments,
            rows=self.rows + other.rows,
            objects=self.objects + other.objects,
            bytes=self.bytes + other.bytes,
        )
