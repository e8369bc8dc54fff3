"""The source's objects as a restore finds them when it is planned: what is copied later must be the same."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial

from formats.container import Wholeness, wholeness
from restore.built_sizes import DoubtfulBuild, doubtful_builds
from restore.errors import ObjectMismatch
from restore.plan import SegmentPlan
from restore.recorded_sizes import DoubtfulLog, doubtful_logs
from restore.source_objects import FoundObject
from stores.inventory import Inventory
from stores.ports import Location, ObjectStore


class SourceSurvey:
    """Looks at many segments' folders at once, in the bucket of the snapshot.

    `doubted` counts the indexes whose files have other sizes than were recorded of them, but where such
    records prove nothing; `first_doubt` says it of one.
    """

    def __init__(self, objects: ObjectStore, bucket: str, threads: Executor) -> None:
        self._objects = objects
        self._bucket = bucket
        self._threads = threads
        self.doubted = 0
        self.first_doubt = ""

    def look(self, segments: Sequence[SegmentPlan]) -> tuple[SegmentPlan, ...]:
        """Return the segments with size and ETag of each of their objects.

        Raises ObjectMissing or ObjectMismatch naming the first object, or the build, that is not as manifest
        or seal recorded. Of sealed segments nothing is added: their seal says more.
        """
        keys = [each.source for segment in segments for each in segment.objects()]
        listed = Inventory.take(self._objects, self._bucket, keys, self._threads)
        inventory = listed.confirmed(self._objects, keys, self._threads)
        seen = tuple(_seen(segment, inventory) for segment in segments)
        list(self._threads.map(self._require_whole, _to_look_into(seen)))
        builds = doubtful_builds(seen, self._bucket)
        list(self._threads.map(self._require_unbroken, builds))
        self.doubted += len(builds)
        self.first_doubt = self.first_doubt or next((build.told for build in builds), "")
        return seen

    def _require_whole(self, looked: tuple[DoubtfulLog, FoundObject]) -> None:
        """A log of another size than recorded is whole where it ends as its container says."""
        log, found = looked
        if self._wholeness(found.key, found.size) != "whole":
            raise ObjectMismatch(
                f"{log.kind} object {Location(self._bucket, found.key)} has {found.size} bytes, expected "
                f"{log.recorded} as its segment's manifest recorded; it does not end where its own header "
                "says either, so the snapshot is no longer whole"
            )

    def _require_unbroken(self, build: DoubtfulBuild) -> None:
        for key, size in build.files.items():
            if self._wholeness(key, size) == "broken":
                raise ObjectMismatch(
                    f"index object {Location(self._bucket, key)} of {size} bytes does not end where its own "
                    f"header says: {build.told}; the snapshot is no longer whole"
                )

    def _wholeness(self, key: str, size: int) -> Wholeness:
        return wholeness(partial(self._objects.read, Location(self._bucket, key)), size)


def _seen(segment: SegmentPlan, inventory: Inventory) -> SegmentPlan:
    found = tuple(_found(segment, inventory))
    return segment if segment.sealed else segment.model_copy(update={"found": found})


def _found(segment: SegmentPlan, inventory: Inventory) -> Iterator[FoundObject]:
    for each in segment.objects():
        stat = inventory.source_of(each)
        yield FoundObject(key=stat.key, size=stat.size, etag=stat.etag)


def _to_look_into(segments: Sequence[SegmentPlan]) -> Iterator[tuple[DoubtfulLog, FoundObject]]:
    for segment in segments:
        found = {each.key: each for each in segment.found}
        for log in doubtful_logs(segment.source):
            there = found.get(log.key)
            if there and log.telling and there.size != log.recorded:
                yield log, there
