"""The source's objects as a restore finds them when it is planned: what is copied later must be the same."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

from restore.built_sizes import require_built_sizes
from restore.plan import SegmentPlan
from restore.source_objects import FoundObject
from stores.inventory import Inventory
from stores.ports import ObjectStore


class SourceSurvey:
    """Looks at many segments' folders at once, in the bucket of the snapshot."""

    def __init__(self, objects: ObjectStore, bucket: str, threads: Executor) -> None:
        self._objects = objects
        self._bucket = bucket
        self._threads = threads

    def look(self, segments: Sequence[SegmentPlan]) -> tuple[SegmentPlan, ...]:
        """Return the segments with size and ETag of each of their objects.

        Raises ObjectMissing or ObjectMismatch naming the first object, or the build, that is not as manifest
        or seal recorded. Of sealed segments nothing is added: their seal says more.
        """
        keys = [each.source for segment in segments for each in segment.objects()]
        listed = Inventory.take(self._objects, self._bucket, keys, self._threads)
        inventory = listed.confirmed(self._objects, keys, self._threads)
        return tuple(self._seen(segment, inventory) for segment in segments)

    def _seen(self, segment: SegmentPlan, inventory: Inventory) -> SegmentPlan:
        found = tuple(_found(segment, inventory))
        if segment.sealed:
            return segment
        seen = segment.model_copy(update={"found": found})
        require_built_sizes(seen, self._bucket)
        return seen


def _found(segment: SegmentPlan, inventory: Inventory) -> Iterator[FoundObject]:
    for each in segment.objects():
        stat = inventory.source_of(each)
        yield FoundObject(key=stat.key, size=stat.size, etag=stat.etag)
