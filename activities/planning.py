"""plan_restore: every manifest read once, every id allocated once, the plan stored in chunks."""

from collections.abc import Iterator
from datetime import UTC, datetime

from temporalio import activity

from activities.opening import open_requested, require_fit
from activities.pulse import Pulse, run_blocking
from formats.catalog import TargetCollection
from formats.census import SegmentCensus
from restore.channels import channel_map
from restore.placement import Placement
from restore.plan import (
    Chunk,
    ChunkEntry,
    Plan,
    PlanRef,
    SegmentPlan,
    Target,
)
from restore.request import RestoreRequest
from restore.steps import PlanOrder
from restore.tasks import CHUNK_OBJECTS, fits, group
from stores.catalog import read_collection
from stores.clients import Clients
from stores.collection_state import channel_positions, existing_ids
from stores.ids import BLOCK, FIRST, LAST, IdAllocator, builds_in_store
from stores.plan_archive import PlanArchive
from stores.segment_trees import SegmentTrees
from stores.snapshots import OpenSnapshot


class PlanningActivities:
    """Writes only below the job's own folder, the header last."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def plan_restore(self, order: PlanOrder) -> PlanRef:
        """Return the job's plan: the one that is stored, or a new one.

        Raises SnapshotCorrupt, UnsupportedFormat or InvalidRequest for what the manifests hold.
        """
        return await run_blocking(self._clients.work_threads, lambda pulse: self._plan(order, pulse))

    def _plan(self, order: PlanOrder, pulse: Pulse) -> PlanRef:
        archive = self._clients.archive(order.request.destination)
        stored = archive.find(int(order.job_id))
        return stored or self._make(order, archive, pulse)

    def _make(self, order: PlanOrder, archive: PlanArchive, pulse: Pulse) -> PlanRef:
        request = order.request
        snapshot = open_requested(request, self._clients)
        target = read_collection(
            self._clients.metadata(request.destination),
            self._clients.keys(request.destination),
            request.database,
            request.target,
        )
        require_fit(request, snapshot, target)
        created = int(datetime.now(UTC).timestamp())
        placement = self._placement(request, snapshot, target, created)
        chunks = self._chunks(int(order.job_id), request, snapshot, placement, archive, pulse)
        plan = Plan(
            job_id=int(order.job_id),
            created_at=created,
            request=request,
            snapshot=snapshot.source,
            target=self._target(request, target),
            tasks=group(list(chunks), request.concurrency),
        )
        return archive.put_plan(plan)

    def _placement(
        self, request: RestoreRequest, snapshot: OpenSnapshot, target: TargetCollection, created: int
    ) -> Placement:
        metadata, keys = (
            self._clients.metadata(request.destination),
            self._clients.keys(request.destination),
        )
        collection = snapshot.metadata.collection
        wanted = request.partitions if request.partitions is not None else collection.partitions
        return Placement(
            collection_id=target.id,
            partitions={collection.partitions[name]: target.partitions[name] for name in wanted},
            channels=channel_map(collection.virtual_channel_names, target.vchannels),
            positions=channel_positions(metadata, keys, target),
            index_ids={index.index_name: index.indexID for index in target.indexes},
            created_at=created,
        )

    def _target(self, request: RestoreRequest, target: TargetCollection) -> Target:
        profile = self._clients.profile(request.destination)
        return Target(
            database=request.database,
            collection=target.name,
            collection_id=target.id,
            bucket=profile.s3.bucket,
            root=profile.s3.root_path,
            root_path=profile.etcd.root_path,
            meta_sub_path=profile.etcd.meta_sub_path,
            partitions=dict(target.partitions),
        )

    def _chunks(
        self,
        job_id: int,
        request: RestoreRequest,
        snapshot: OpenSnapshot,
        placement: Placement,
        archive: PlanArchive,
        pulse: Pulse,
    ) -> Iterator[ChunkEntry]:
        """Store the chunks one after the other: only one is in memory, whatever the snapshot's size."""
        segments = self._segments(request, snapshot, placement, pulse)
        for number, chunk in enumerate(cut(segments)):
            pulse.check()
            counts = [(len(list(each.named_objects())), each.bytes) for each in chunk]
            yield archive.put_chunk(
                job_id,
                number,
                Chunk(segments=tuple(chunk)),
                objects=sum(objects for objects, _ in counts),
                size=sum(size for _, size in counts),
            )

    def _segments(
        self, request: RestoreRequest, snapshot: OpenSnapshot, placement: Placement, pulse: Pulse
    ) -> Iterator[SegmentPlan]:
        metadata, keys = (
            self._clients.metadata(request.destination),
            self._clients.keys(request.destination),
        )
        s3 = self._clients.profile(request.destination).s3
        occupied = builds_in_store(self._clients.objects(request.destination), s3.bucket, s3.root_path)
        taken = existing_ids(metadata, keys, FIRST, LAST)
        ids = IdAllocator(metadata, keys, taken, occupied, block_size=BLOCK)
        trees = SegmentTrees(self._clients.objects(request.source), snapshot.at.bucket)
        census = SegmentCensus(snapshot.metadata, snapshot.roots)
        manifests = snapshot.manifests(self._clients.objects(request.source), self._clients.list_threads)
        for manifest in manifests:
            pulse.check()
            admitted = census.admit(manifest)
            if placement.wanted(admitted):
                yield placement.place(admitted, trees.look(admitted), ids.allocate)
        census.close()


def cut(segments: Iterator[SegmentPlan]) -> Iterator[list[SegmentPlan]]:
    """Consecutive segments in groups of at most CHUNK_OBJECTS objects; a larger segment is alone."""
    group: list[SegmentPlan] = []
    objects = size = 0
    for segment in segments:
        more, weight = len(list(segment.named_objects())), segment.bytes
        if group and not fits(objects + more, size + weight, limit=CHUNK_OBJECTS):
            yield group
            group, objects, size = [], 0, 0
        group.append(segment)
        objects, size = objects + more, size + weight
    if group:
        yield group
