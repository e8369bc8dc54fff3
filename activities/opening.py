"""open_restore: everything that can be wrong with a request, found before anything is written."""

from collections.abc import Callable
from functools import partial

from temporalio import activity

from activities.cut_off import CutOff, find_publishing, has_ended
from activities.pulse import Pulse, run_blocking
from activities.reserving import fingerprint
from formats.catalog import TargetCollection
from formats.location import SnapshotLocation
from restore.comparison import differences
from restore.creation import collection_definition
from restore.errors import (
    InvalidRequest,
    ObjectMissing,
    SnapshotNotFound,
    TargetMismatch,
    TargetNotEmpty,
)
from restore.request import RestoreRequest
from restore.steps import Opening
from stores.catalog import find_collection, read_collection
from stores.clients import Clients
from stores.collection_state import existing_ids, segments_of
from stores.ids import FIRST, LAST
from stores.job_ledger import JobLedger
from stores.reservations import Reservations, busy, now
from stores.snapshot_catalog import SnapshotCatalog, SnapshotName
from stores.snapshots import OpenSnapshot, open_snapshot

_SHOWN = 20


class OpeningActivities:
    """Reads only, but for the id of the job, which it allocates last."""

    def __init__(self, clients: Clients, *, search_attributes: bool = True) -> None:
        self._clients = clients
        self._search_attributes = search_attributes

    @activity.defn
    async def open_restore(self, request: RestoreRequest) -> Opening:
        """Return the job's id when the snapshot is readable and the target is empty and fits, or can be made.

        Or else the same restore, where an earlier workflow was ended while it published. Raises every type
        of the contract that a request can deserve; an unreachable store is AccessDenied.
        """
        threads = self._clients.work_threads
        cut_off = await run_blocking(threads, lambda pulse: self._publishing(request, pulse))
        if cut_off and await has_ended(cut_off.owner.workflow_id):
            return self._finishing(cut_off)
        return await run_blocking(threads, lambda pulse: self._open(request, pulse))

    def _publishing(self, request: RestoreRequest, pulse: Pulse) -> CutOff | None:
        self._require_access(request)
        pulse.check()
        return find_publishing(self._clients, request)

    def _finishing(self, cut_off: CutOff) -> Opening:
        return Opening(
            job_id=cut_off.owner.job_id,
            snapshot_name=cut_off.plan.snapshot.name,
            search_attributes=self._search_attributes,
            unfinished=cut_off.staged,
        )

    def _open(self, request: RestoreRequest, pulse: Pulse) -> Opening:
        snapshot = self._snapshot(request)
        require_partitions(request, snapshot)
        target, kept = self._target(request), None
        if target is None:
            self._require_creatable(request, snapshot)
        else:
            require_fit(request, snapshot, target)
            kept = self._kept(request, snapshot, target)
            if kept is None:
                self._require_empty(request, target)
        pulse.check()
        return Opening(
            job_id=kept or str(self._allocate(request)),
            snapshot_name=snapshot.source.name,
            search_attributes=self._search_attributes,
            create_target=target is None,
            kept=kept is not None,
            pausable=self._clients.management(request.destination) is not None,
        )

    def _require_access(self, request: RestoreRequest) -> None:
        """Ask every store at once, so that one that never answers costs its few seconds only once."""
        destination = self._clients.profile(request.destination)
        self._clients.profile(request.source)
        checks: list[Callable[[], object]] = [
            lambda: self._clients.metadata(request.destination).check(),
            lambda: self._check_bucket(request.destination, destination.s3.bucket),
            lambda: self._check_reachable(request),
        ]
        root_coord = self._clients.root_coord(request.destination)
        if root_coord is not None:
            checks.append(root_coord.check)
        if SnapshotName.parse(request.snapshot):
            checks.append(lambda: self._clients.metadata(request.source).check())
        for done in [self._clients.list_threads.submit(check) for check in checks]:
            done.result()

    def _check_bucket(self, profile: str, bucket: str) -> None:
        try:
            self._clients.objects(profile).check(bucket)
        except ObjectMissing as error:
            raise InvalidRequest(
                f"the bucket {bucket!r} of profile {profile!r} does not exist; create it or set "
                "RESTORE_S3_BUCKET (in the file: bucket) to the one that Milvus uses"
            ) from error

    def _check_reachable(self, request: RestoreRequest) -> None:
        objects = self._clients.objects(request.source)
        bucket = source_bucket(request, self._clients)
        try:
            objects.check(bucket)
        except ObjectMissing as error:
            raise SnapshotNotFound(
                f"the bucket {bucket!r} of snapshot {request.snapshot!r} does not exist at {objects.endpoint}"
            ) from error

    def _snapshot(self, request: RestoreRequest) -> OpenSnapshot:
        return open_requested(request, self._clients)

    def _target(self, request: RestoreRequest) -> TargetCollection | None:
        """The target; None where it is absent and a Milvus address says who can make it."""
        metadata, keys = (
            self._clients.metadata(request.destination),
            self._clients.keys(request.destination),
        )
        if self._clients.milvus(request.destination) is None:
            return read_collection(metadata, keys, request.database, request.target)
        return find_collection(metadata, keys, request.database, request.target)

    def _require_creatable(self, request: RestoreRequest, snapshot: OpenSnapshot) -> None:
        """Return when the snapshot's collection can be asked for, and Milvus answers and has none either."""
        collection_definition(snapshot.metadata.collection, snapshot.metadata.indexes)
        milvus = self._clients.milvus(request.destination)
        if milvus is None:
            return
        milvus.check()
        if milvus.has_collection(request.database, request.target):
            etcd = self._clients.profile(request.destination).etcd
            raise InvalidRequest(
                f"{milvus.where} has a collection {request.target!r} which is not in the catalog below "
                f"{etcd.root_path}/{etcd.meta_sub_path} of the profile's etcd; the Milvus address and etcd, "
                "its root path included, must be of the same cluster"
            )

    def _kept(self, request: RestoreRequest, snapshot: OpenSnapshot, target: TargetCollection) -> str | None:
        """The job of a kept restore of the same to the same target; TargetBusy for any other owner."""
        reservations = Reservations(
            self._clients.metadata(request.destination), self._clients.keys(request.destination)
        )
        held = reservations.look(target.id)
        if held is None:
            return None
        same = fingerprint(
            uri=snapshot.source.uri,
            etag=snapshot.etag,
            collection_id=target.id,
            partitions=request.partitions,
            rewrite_descriptors=request.rewrite_descriptors,
        )
        if held[0].state == "kept" and held[0].fingerprint == same:
            return held[0].job_id
        raise busy(held[0], target.id)

    def _require_empty(self, request: RestoreRequest, target: TargetCollection) -> None:
        metadata, keys = (
            self._clients.metadata(request.destination),
            self._clients.keys(request.destination),
        )
        count, some = segments_of(metadata, keys, target.id)
        if count:
            raise TargetNotEmpty(
                f"collection {target.name!r} ({target.id}) in database {request.database!r} holds {count} "
                f"segments, such as {', '.join(map(str, some))}; restore into an empty collection"
            )

    def _allocate(self, request: RestoreRequest) -> int:
        metadata, keys = (
            self._clients.metadata(request.destination),
            self._clients.keys(request.destination),
        )
        # Ended jobs whose time is over are removed by whoever comes next; ids of our counter are ours.
        JobLedger(metadata, keys).sweep(now(), lambda job_id: FIRST <= job_id <= LAST)
        ids = self._clients.ids(request.destination, partial(existing_ids, metadata, keys))
        return ids.allocate(1)[0]


def source_bucket(request: RestoreRequest, clients: Clients) -> str:
    """The bucket of the snapshot: the URI's own, else the source profile's."""
    named = None if SnapshotName.parse(request.snapshot) else SnapshotLocation.parse(request.snapshot).bucket
    return named or clients.profile(request.source).s3.bucket


def open_requested(request: RestoreRequest, clients: Clients) -> OpenSnapshot:
    """The snapshot that a request names, by URI, key, or name in the source's catalog."""
    objects, bucket = clients.objects(request.source), clients.profile(request.source).s3.bucket
    return open_snapshot(objects, bucket, location_of(request.snapshot, request.source, clients))


def location_of(snapshot: str, source: str, clients: Clients) -> str:
    """The URI or key of the metadata file; a name is looked up in the catalog of the profile `source`."""
    name = SnapshotName.parse(snapshot)
    if name is None:
        return snapshot
    metadata, keys = clients.metadata(source), clients.keys(source)
    bucket = clients.profile(source).s3.bucket
    return SnapshotCatalog(metadata, keys, clients.objects(source), bucket).find(name)


def require_partitions(request: RestoreRequest, snapshot: OpenSnapshot) -> None:
    """Return when the snapshot has every partition asked for; else InvalidRequest lists what it has."""
    there = snapshot.metadata.collection.partitions
    unknown = [name for name in request.partitions or () if name not in there]
    if unknown:
        raise InvalidRequest(
            f"field partitions: the snapshot has no partition {', '.join(map(repr, unknown))}; it has "
            f"{', '.join(sorted(there)[:_SHOWN]) or 'none'}"
            + (f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else "")
        )


def require_fit(request: RestoreRequest, snapshot: OpenSnapshot, target: TargetCollection) -> None:
    """Return when the target's definition equals the snapshot's; else TargetMismatch with each difference."""
    found = differences(snapshot.metadata.collection, snapshot.metadata.indexes, target, request.partitions)
    if found:
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise TargetMismatch(
            f"collection {target.name!r} differs from snapshot {snapshot.source.name!r}: "
            + "; ".join(found[:_SHOWN])
            + more
        )
