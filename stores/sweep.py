"""What a restore has made, found by the ids of its segments: for a plan that can no longer be read.

The ids are those that the job's tasks name in etcd; they were allocated for this restore, so that whatever
bears them is its own. Folders that begin with a build's id are listed as a whole, which a plan spares.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from formats.layouts import LAYOUTS, layout_of
from restore.plan import Plan
from stores.job_ledger import JobLedger
from stores.ports import ObjectStore

_LOBS = "/lobs/"
_UP_TO_SEGMENT = 3
"""Where the ids that a layout names end, when the segment's is among them."""


class Sweep:
    """Objects, unfinished uploads and records of one restore."""

    def __init__(self, plan: Plan, ledger: JobLedger, objects: ObjectStore, source: ObjectStore) -> None:
        self._plan = plan
        self._objects = objects
        self._source = source
        job = ledger.job(plan.job_id)
        mapped = [each for task in ledger.tasks(plan.job_id) for each in task.id_mappings]
        self._segments = {
            str(each.target_segment_id) for each in (*mapped, *(job.id_mappings if job else ()))
        }

    def records(self, keys: Iterable[str]) -> list[str]:
        """Those of a collection's record keys that are of the restore's segments."""
        return [key for key in keys if not self._segments.isdisjoint(key.split("/"))]

    def remove(self) -> int:
        """Abort the restore's uploads, delete its objects, and return their number."""
        bucket, removed = self._plan.target.bucket, 0
        for folder in self._folders() if self._segments else ():
            for key in filter(self._owns, self._objects.unfinished(bucket, folder)):
                self._objects.abort_uploads(bucket, key)
            keys = [stat.key for stat in self._objects.scan(bucket, folder) if self._owns(stat.key)]
            self._objects.delete(bucket, keys)
            removed += len(keys)
        return removed

    def _folders(self) -> Iterator[str]:
        root, collection = _folder(self._plan.target.root), self._plan.target.collection_id
        for keyword, layout in LAYOUTS.items():
            narrow = layout.ids.start == 1 and layout.named.start == 0
            yield f"{root}{keyword}/{collection}/" if narrow else f"{root}{keyword}/"

    def _owns(self, key: str) -> bool:
        parts = key.removeprefix(_folder(self._plan.target.root)).split("/")
        layout = layout_of(parts)
        if not layout.fits(parts):
            return False
        if layout.named.stop == _UP_TO_SEGMENT:
            return parts[layout.ids][-1] in self._segments
        return key.partition(_LOBS)[2] in self._large_objects

    @cached_property
    def _large_objects(self) -> frozenset[str]:
        """Large objects bear no segment's id, but keep the name that they have in the source."""
        snapshot = self._plan.snapshot
        folder = f"{_folder(snapshot.root)}insert_log/{snapshot.collection_id}/"
        found = (stat.key for stat in self._source.scan(snapshot.bucket, folder))
        return frozenset(key.partition(_LOBS)[2] for key in found if _LOBS in key)


def _folder(root: str) -> str:
    return f"{root}/" if root else ""
