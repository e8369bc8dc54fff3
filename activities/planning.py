"""plan_restore: every manifest read once, every id allocated once, the plan stored in chunks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

from temporalio import activity

from activities.opening import open_requested, require_fit
from activities.pulse import Pulse, run_blocking
from formats.catalog import TargetCollection
from formats.census import SegmentCensus
from restore.built_sizes import other_sizes
from restore.channels import channel_map
from restore.placement import Placement
from restore.plan import Chunk, ChunkEntry, Plan, PlanRef, SegmentPlan, Target
from restore.rehearsal import rehearse
from restore.rewriting import require_descriptors
from restore.row_times import ClockReading, RowTimes, clock_warning, lifetime_warning, require_reachable
from restore.seal import SealedSegment
from restore.sealed_segment import bind, left_out
from restore.steps import PlanOrder
from restore.tasks import CHUNK_OBJECTS, fits, group
from stores.catalog import read_collection
from stores.clients import Clients
from stores.collection_state import channel_positions, existing_ids
from stores.ids import BLOCK, IdSource, builds_in_store
from stores.segment_trees import SegmentTrees
from stores.source_survey import SourceSurvey
from stores.target_clock import TargetClock


class PlanningActivities:
    """Writes only below the job's own folder, the header last."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def plan_restore(self, order: PlanOrder) -> PlanRef:
        """Return the job's plan: the one that is stored, or a new one.

        Raises SnapshotCorrupt, UnsupportedFormat, ObjectMissing or InvalidRequest by what manifests hold.
        """
        return await run_blocking(self._clients.work_threads, lambda pulse: self._plan(order, pulse))

    def _plan(self, order: PlanOrder, pulse: Pulse) -> PlanRef:
        archive = self._clients.archive(order.request.destination)
        stored = archive.find(int(order.job_id))
        if stored is None:
            return Planner(self._clients, order, pulse).make()
        if archive.plan(stored).request == order.request:
            return stored
        return stored.model_copy(update={"request": order.request, "profile": order.request.destination})


class Planner:
    """Makes one plan; only one chunk of it is in memory, whatever the snapshot's size."""

    def __init__(self, clients: Clients, order: PlanOrder, pulse: Pulse) -> None:
        self._job_id = int(order.job_id)
        self._request = order.request
        self._pulse = pulse
        self._profile = clients.profile(order.request.destination)
        self._metadata = clients.metadata(order.request.destination)
        self._keys = clients.keys(order.request.destination)
        self._archive = clients.archive(order.request.destination)
        self._objects = clients.objects(order.request.destination)
        self._source = clients.objects(order.request.source)
        self._threads = clients.list_threads
        self._snapshot = open_requested(order.request, clients)
        self._ids = self._allocator(clients)
        self._times = RowTimes()
        self._left_out: list[str] = []
        self._doubts = (0, "")

    def make(self) -> PlanRef:
        """Store chunks and header, and return the reference to them."""
        request = self._request
        target = read_collection(self._metadata, self._keys, request.database, request.target)
        require_fit(request, self._snapshot, target)
        created = int(datetime.now(UTC).timestamp())
        chunks = list(self._chunks(self._placement(target, created)))
        tasks = group(chunks, request.concurrency)
        clock = TargetClock(self._metadata, self._keys).read()
        require_reachable(self._times, clock)
        plan = Plan(
            job_id=self._job_id,
            created_at=created,
            request=request,
            snapshot=self._snapshot.source,
            target=self._target(target),
            tasks=tasks,
            task_ids=tuple(self._ids.allocate(len(tasks))),
            newest=self._times.newest,
            warnings=self._warnings(clock, target),
        )
        self._pulse.check()
        return self._archive.put_plan(plan)

    def _placement(self, target: TargetCollection, created: int) -> Placement:
        collection, chosen = self._snapshot.metadata.collection, self._request.partitions
        wanted = collection.partitions if chosen is None else chosen
        return Placement(
            collection_id=target.id,
            partitions={collection.partitions[name]: target.partitions[name] for name in wanted},
            channels=channel_map(collection.virtual_channel_names, target.vchannels),
            positions=channel_positions(self._metadata, self._keys, target),
            index_ids={index.index_name: index.indexID for index in target.indexes},
            created_at=created,
            left_out={number for name, number in collection.partitions.items() if name not in wanted},
        )

    def _target(self, target: TargetCollection) -> Target:
        return Target(
            database=self._request.database,
            collection=target.name,
            collection_id=target.id,
            bucket=self._profile.s3.bucket,
            root=self._profile.s3.root_path,
            root_path=self._profile.etcd.root_path,
            meta_sub_path=self._profile.etcd.meta_sub_path,
            partitions=dict(target.partitions),
        )

    def _chunks(self, placement: Placement) -> Iterator[ChunkEntry]:
        survey = SourceSurvey(self._source, self._snapshot.at.bucket, self._threads)
        for number, chunk in enumerate(cut(self._segments(placement))):
            self._pulse.check()
            yield self._archive.put_chunk(
                self._job_id,
                number,
                Chunk(segments=survey.look(chunk)),
                objects=sum(len(list(each.named_objects())) for each in chunk),
                size=sum(each.bytes for each in chunk),
            )
        self._doubts = (survey.doubted, survey.first_doubt)

    def _segments(self, placement: Placement) -> Iterator[SegmentPlan]:
        trees = SegmentTrees(self._source, self._snapshot.at.bucket)
        census = SegmentCensus(self._snapshot.metadata, self._snapshot.roots)
        roots = {"source_root": self._snapshot.roots.data_root, "target_root": self._profile.s3.root_path}
        for read in self._snapshot.read_manifests(self._source, self._threads):
            self._pulse.check()
            admitted = census.admit(read.manifest)
            if placement.wanted(admitted):
                self._times = self._times.plus(admitted)
                if self._request.rewrite_descriptors:
                    require_descriptors(admitted)
                tree = trees.look(admitted, read.sealed.objects if read.sealed else ())
                segment = placement.place(admitted, tree, self._ids.allocate)
                segment = self._bound(segment, read.sealed)
                rehearse(segment, **roots)
                yield segment.model_copy(update={"file": read.file})
        census.close()

    def _bound(self, segment: SegmentPlan, sealed: SealedSegment | None) -> SegmentPlan:
        if sealed is None:
            return segment
        bound, later = bind(segment, sealed)
        self._left_out += later
        return bound

    def _warnings(self, clock: ClockReading, target: TargetCollection) -> tuple[str, ...]:
        stored = self._snapshot.metadata.collection
        properties = {pair.key: pair.value for pair in stored.properties or stored.schema.properties}
        found = (
            clock_warning(self._times, clock),
            lifetime_warning(self._times, clock, target.properties, properties),
            left_out(self._left_out),
            other_sizes(*self._doubts),
        )
        return tuple(each for each in found if each)

    def _allocator(self, clients: Clients) -> IdSource:
        s3 = self._profile.s3
        occupied = builds_in_store(self._objects, s3.bucket, s3.root_path)
        taken = partial(existing_ids, self._metadata, self._keys)
        return clients.ids(self._request.destination, taken, occupied, block_size=BLOCK)


def cut(segments: Iterator[SegmentPlan]) -> Iterator[list[SegmentPlan]]:
    """Consecutive segments in groups of at most CHUNK_OBJECTS objects; a larger segment is alone.

    A segment without any counts as one object: it has its records all the same.
    """
    group: list[SegmentPlan] = []
    objects = size = 0
    for segment in segments:
        more, weight = max(1, len(list(segment.named_objects()))), segment.bytes
        if group and not fits(objects + more, size + weight, limit=CHUNK_OBJECTS):
            yield group
            group, objects, size = [], 0, 0
        group.append(segment)
        objects, size = objects + more, size + weight
    if group:
        yield group
