"""Whether a snapshot's own files still are what a restore was planned from."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor

from restore.errors import ObjectMissing, SnapshotCorrupt
from restore.plan import Plan, SegmentPlan
from restore.source_objects import SnapshotFile
from stores.in_flight import each_in_flight
from stores.ports import Location, ObjectStore

_SINCE = (
    "as it was when this restore was planned; the snapshot was changed meanwhile, so nothing is published"
)


class PlannedSnapshot:
    """Looks at the metadata file and reads the segment manifests again, many at a time."""

    def __init__(self, objects: ObjectStore, plan: Plan, threads: Executor) -> None:
        self._objects = objects
        self._snapshot = plan.snapshot
        self._threads = threads

    def require_unchanged(self, segments: Iterable[SegmentPlan], check: Callable[[], None]) -> None:
        """Return when all are as they were read in planning; else SnapshotCorrupt naming the first.

        `check` is called again and again, and ends the reading when it raises.
        """
        self._require_metadata()
        files = (segment.file for segment in segments if segment.file)
        for _ in each_in_flight(self._threads, self._require, files):
            check()

    def _require_metadata(self) -> None:
        at = Location(self._snapshot.bucket, self._snapshot.key)
        stat = self._objects.stat(at)
        if stat is None:
            raise _gone(at)
        if stat.etag != self._snapshot.etag:
            raise SnapshotCorrupt(f"{at} has ETag {stat.etag}, expected {self._snapshot.etag} {_SINCE}")

    def _require(self, file: SnapshotFile) -> None:
        at = Location(self._snapshot.bucket, file.key)
        try:
            found = self._objects.digest(at)
        except ObjectMissing as error:
            raise _gone(at) from error
        if found != file.sha256:
            raise SnapshotCorrupt(
                f"segment manifest {at} has SHA-256 {found[:16]}…, expected {file.sha256[:16]}… {_SINCE}"
            )


def _gone(at: Location) -> SnapshotCorrupt:
    return SnapshotCorrupt(
        f"{at} is absent, though this restore was planned from it; the snapshot was removed meanwhile, so "
        "nothing is published"
    )
