"""copy_objects: every object of a task at its place in the target."""

from collections.abc import Callable

from temporalio import activity

from activities.copy_run import CopyRun, Item
from activities.pulse import Pulse, run_blocking
from activities.reporting import Reporter
from activities.staging import Staging
from restore.plan import PlannedObject
from restore.steps import CopyCount, TaskRef
from stores.clients import COPY_THREADS, Clients
from stores.inventory import Inventory, same_content
from stores.ports import Location, ObjectStat


class CopyActivities:
    """Server-side copies where source and destination are one store, streams where they are two."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def copy_objects(self, task: TaskRef) -> CopyCount:
        """Copy what is not in place yet, and return the counts of all that is in place now.

        Raises ObjectMissing or ObjectMismatch for a source that is not what its manifest says.
        """
        survey = await run_blocking(self._clients.work_threads, lambda pulse: self._begin(task, pulse))
        run = CopyRun(survey.items, survey.copy)
        reporter = Reporter(task, run, objects=survey.objects, size=survey.bytes)
        await run.run(self._clients.copy_threads, COPY_THREADS, reporter.beat)
        return CopyCount(
            objects=survey.objects + run.objects, skipped=survey.objects, bytes=survey.bytes + run.bytes
        )

    def _begin(self, task: TaskRef, pulse: Pulse) -> "Survey":
        staging = Staging(self._clients, task)
        staging.take_up()
        pulse.check()
        plan = staging.plan
        survey = Survey(self._clients, plan.request.source, task.plan.profile, plan.snapshot.bucket)
        planned = [each for segment in staging.segments for each in plan.objects(segment)]
        survey.look(planned, plan.target.bucket)
        return survey


class Survey:
    """Which objects of a task are in place (`objects`, `bytes`) and which are to be copied (`items`)."""

    def __init__(self, clients: Clients, source: str, destination: str, source_bucket: str) -> None:
        self._clients = clients
        self._source = clients.objects(source)
        self._destination = clients.objects(destination)
        self._source_bucket = source_bucket
        self._target_bucket = ""
        self.items: list[Item] = []
        self.objects = 0
        self.bytes = 0

    def look(self, planned: list[PlannedObject], target_bucket: str) -> None:
        """List both sides; the truth is what the store holds, not what an earlier attempt remembers."""
        self._target_bucket = target_bucket
        threads = self._clients.list_threads
        keys = [each.source for each in planned]
        listed = Inventory.take(self._source, self._source_bucket, keys, threads)
        sources = listed.confirmed(self._source, keys, threads)
        targets = Inventory.take(self._destination, target_bucket, [each.target for each in planned], threads)
        for each in planned:
            stat = sources.source_of(each)
            there = targets.found.get(each.target)
            # The key is ours alone and objects appear whole, so equal size is enough where ETags cannot say.
            if there is not None and same_content(stat, there) is not False:
                self.objects += 1
                self.bytes += stat.size
            else:
                self.items.append((each, stat))

    def copy(self, planned: PlannedObject, stat: ObjectStat, go_on: Callable[[], bool]) -> bool:
        """Copy one object; False when it was stopped."""
        source = Location(self._source_bucket, planned.source)
        target = Location(self._target_bucket, planned.target)
        if self._source.endpoint == self._destination.endpoint:
            return self._destination.copy(source, target, stat, go_on)
        self._destination.receive(self._source, source, target, stat)
        return True
