"""copy_objects: every object of a task at its place in the target."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial

from temporalio import activity

from activities.copy_metrics import count_objects
from activities.copy_run import CopyRun, Item
from activities.pulse import Pulse, run_blocking
from activities.reporting import Reporter
from activities.staging import Staging
from restore.errors import AccessDenied
from restore.plan import Plan, PlannedObject
from restore.rewriting import descriptor_edit
from restore.steps import CopyCount, TaskRef
from stores.clients import COPY_THREADS, Clients
from stores.inventory import Inventory, same_content
from stores.ports import Location, ObjectStat

PARTS_FROM = 5 * 2**20
"""Bytes; no store takes a smaller part, so that a smaller object was never begun in parts."""


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
        survey = Survey(self._clients, plan, task.plan.profile)
        survey.look([each for segment in staging.segments for each in plan.objects(segment)])
        if activity.info().attempt > 1:
            survey.abort_uploads()
        return survey


class Survey:
    """Which objects of a task are in place (`objects`, `bytes`) and which are to be copied (`items`)."""

    def __init__(self, clients: Clients, plan: Plan, destination: str) -> None:
        self._plan = plan
        self._source = clients.objects(plan.request.source)
        self._destination = clients.objects(destination)
        self._threads = clients.list_threads
        self.items: list[Item] = []
        self.objects = 0
        self.bytes = 0

    def look(self, planned: list[PlannedObject]) -> None:
        """List both sides; the truth is what the store holds, not what an earlier attempt remembers."""
        keys = [each.source for each in planned]
        listed = Inventory.take(self._source, self._plan.snapshot.bucket, keys, self._threads)
        sources = listed.confirmed(self._source, keys, self._threads)
        there = Inventory.take(
            self._destination, self._plan.target.bucket, [each.target for each in planned], self._threads
        ).found
        items: list[Item] = [(each, sources.source_of(each)) for each in planned]

        def in_place(item: Item) -> bool:
            return self._in_place(item[0], item[1], there.get(item[0].target))

        for item, done in zip(items, self._each(in_place, items), strict=True):
            if done:
                self.objects += 1
                self.bytes += item[1].size
            else:
                self.items.append(item)
        count_objects("in_place", self.bytes, objects=self.objects)

    def abort_uploads(self) -> None:
        """Abort what a killed attempt has left half-way; where that is forbidden, a rollback will say so."""
        large = [planned.target for planned, stat in self.items if stat.size > PARTS_FROM]
        with suppress(AccessDenied):
            list(
                self._threads.map(
                    partial(self._destination.abort_uploads, self._plan.target.bucket),
                    large,
                )
            )

    def copy(self, planned: PlannedObject, stat: ObjectStat, go_on: Callable[[], bool]) -> bool:
        """Copy one object; False when it was stopped."""
        source = Location(self._plan.snapshot.bucket, planned.source)
        target = Location(self._plan.target.bucket, planned.target)
        edit = descriptor_edit(self._plan, planned, stat.size)
        if edit is None and self._source.endpoint == self._destination.endpoint:
            done = self._destination.copy(source, target, stat, go_on)
            count_objects("copied", stat.size, objects=int(done))
            return done
        self._destination.receive(self._source, source, target, stat, edit)
        count_objects("streamed", stat.size)
        return True

    def _each(self, look: Callable[[Item], bool], items: list[Item]) -> Iterable[bool]:
        """The answers in order; only where they may cost a request each, many at once."""
        return (self._threads.map if self._plan.request.rewrite_descriptors else map)(look, items)

    def _in_place(self, planned: PlannedObject, source: ObjectStat, target: ObjectStat | None) -> bool:
        """Whether a copy, or what an edit made of this very source, is there already."""
        if target is None or target.size != source.size:
            return False
        if descriptor_edit(self._plan, planned, source.size):
            # Its ETag is never the source's, so the object itself has to tell; verifying reads it.
            return self._destination.made_from(Location(self._plan.target.bucket, target.key)) == source.etag
        # The key is ours alone and objects appear whole, so equal size is enough where ETags cannot say.
        return same_content(source, target) is not False
