"""What of a restore lies where it was planned: objects, unfinished uploads, records."""

from collections.abc import Iterator

from formats.model import Model
from formats.paths import prefixes
from formats.proto.common_pb2 import Importing
from formats.proto.data_pb2 import CopySegmentTask, SegmentInfo
from formats.wire import decode
from restore.errors import RestoreError
from restore.orphans import Trace
from restore.plan import Plan, PlanRef
from stores.clients import Clients
from stores.staged_records import collection_records, keys_of, planned_records


class Debris(Model):
    """How much there is; `stored` are the objects beside the data, `staged` the hidden segments."""

    stored: int = 0
    objects: int = 0
    bytes: int = 0
    uploads: int = 0
    records: int = 0
    staged: int = 0
    tasks: int = 0
    unreadable: str | None = None


class DebrisSurvey:
    """Counts; reads only."""

    def __init__(self, clients: Clients, profile: str) -> None:
        self._clients = clients
        self._profile = profile
        self._metadata = clients.metadata(profile)
        self._keys = clients.keys(profile)
        self._archive = clients.archive(profile)
        self._objects = clients.objects(profile)
        self._bucket = clients.profile(profile).s3.bucket

    def count(self, trace: Trace) -> Debris:
        """Return what is left of a restore, by its plan; without a plan that can be read, by its records."""
        stored = sum(1 for _ in self._objects.scan(self._bucket, self._archive.folder(trace.job_id)))
        tasks = list(self._tasks(trace))
        found = {"stored": stored, "tasks": len(tasks), "staged": self._staged(trace, tasks)}
        try:
            ref = self._archive.find(int(trace.job_id))
            planned = self._planned(ref, self._archive.plan(ref)) if ref else Debris()
        except RestoreError as error:
            planned = Debris(unreadable=str(error))
        return planned.model_copy(update=found)

    def _planned(self, ref: PlanRef, plan: Plan) -> Debris:
        there = {
            record.key
            for record in collection_records(
                self._metadata, keys_of(plan), plan.target.collection_id, keys_only=True
            )
        }
        objects = size = uploads = records = 0
        for segment in self._archive.all_segments(ref):
            records += sum(key in there for key in planned_records(plan, segment))
            targets = {each.target for each in plan.objects(segment)}
            for folder in prefixes(targets):
                sizes = [
                    stat.size for stat in self._objects.scan(self._bucket, folder) if stat.key in targets
                ]
                objects, size = objects + len(sizes), size + sum(sizes)
                uploads += sum(1 for _ in self._objects.unfinished(self._bucket, folder))
        return Debris(objects=objects, bytes=size, uploads=uploads, records=records)

    def _tasks(self, trace: Trace) -> Iterator[CopySegmentTask]:
        for record in self._metadata.scan(self._keys.copy_segment_tasks):
            task = decode(CopySegmentTask, record.value, record.key)
            if str(task.job_id) == trace.job_id:
                yield task

    def _staged(self, trace: Trace, tasks: list[CopySegmentTask]) -> int:
        """How many segments of the restore are registered and hidden."""
        if trace.collection_id is None:
            return 0
        ids = {each.target_segment_id for task in tasks for each in task.id_mappings}
        infos = (
            decode(SegmentInfo, record.value, record.key)
            for record in self._metadata.scan(self._keys.segments(trace.collection_id))
        )
        return sum(info.ID in ids and info.state == Importing for info in infos)
