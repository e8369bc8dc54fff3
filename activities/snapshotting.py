"""The steps of CreateSnapshot: a record, the files, the record committed; or nothing of them."""

from datetime import UTC, datetime
from functools import partial

from temporalio import activity

from activities.pulse import Pulse, run_blocking
from formats.catalog import TargetCollection
from formats.proto.data_pb2 import SnapshotInfo, SnapshotStateCommitted, SnapshotStatePending
from restore.errors import (
    CollectionNotFound,
    Fenced,
    InvalidRequest,
    ObjectMissing,
    SnapshotExists,
    TargetNotFound,
)
from restore.snapshot_request import SnapshotRequest
from restore.snapshot_steps import SnapshotCount, SnapshotOpening, SnapshotOrder
from stores.catalog import find_collection
from stores.clients import Clients
from stores.cluster_version import knows_snapshots
from stores.collection_state import existing_ids
from stores.milvus import Milvus
from stores.seek_positions import seek_positions
from stores.segment_catalog import SegmentCatalog
from stores.segment_objects import SegmentObjects
from stores.snapshot_files import SnapshotFiles
from stores.snapshot_records import SnapshotRecords, exists, recorded_by
from stores.snapshot_writer import SnapshotWriter

_FLUSH_LOOKS = 0.5
"""Seconds between two looks at whether Milvus has flushed."""


class SnapshotActivities:
    """Each may be repeated: the ids are the order's, and what is there already is found there."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def open_snapshot(self, opening: SnapshotOpening) -> SnapshotOrder:
        """Return the order when the collection is there and the name is free; the id is allocated last.

        Raises InvalidRequest, CollectionNotFound, SnapshotExists, or AccessDenied for an unreachable store.
        """
        return await run_blocking(self._clients.work_threads, lambda _: self._open(opening))

    @activity.defn
    async def flush_collection(self, order: SnapshotOrder) -> None:
        """Return when Milvus has written what the collection had in memory; FlushRefused with its reason."""
        await run_blocking(self._clients.work_threads, lambda pulse: self._flush(order, pulse))

    @activity.defn
    async def begin_snapshot(self, order: SnapshotOrder) -> None:
        """Have the PENDING record, which says where the snapshot ends on every channel.

        SnapshotExists when another was faster, CollectionNotFound when the collection is gone.
        """
        await run_blocking(self._clients.work_threads, lambda _: self._begin(order))

    @activity.defn
    async def write_snapshot(self, order: SnapshotOrder) -> SnapshotCount:
        """Have every file of the snapshot in the store, the metadata last, and return what it contains.

        Raises Fenced without the record, ObjectMissing or CatalogCorrupt for a damaged collection.
        """
        return await run_blocking(self._clients.work_threads, lambda pulse: self._write(order, pulse))

    @activity.defn
    async def commit_snapshot(self, order: SnapshotOrder) -> str:
        """Have the record COMMITTED and return the metadata's URI; Fenced when the record is gone."""
        return await run_blocking(self._clients.work_threads, lambda _: self._commit(order))

    @activity.defn
    async def discard_snapshot(self, order: SnapshotOrder) -> bool:
        """Have neither record nor files, and return True; a committed snapshot stays: False."""
        return await run_blocking(self._clients.work_threads, lambda _: self._discard(order))

    def _open(self, opening: SnapshotOpening) -> SnapshotOrder:
        request = opening.request
        self._require_access(request)
        collection = self._collection(request)
        records = self._records(request)
        taken = records.named(collection.id, request.name)
        maker = records.maker(collection.id, request.name)
        # Of an earlier run of this same workflow, which was ended by force, begin_snapshot clears the rests.
        if taken and not (maker and maker.workflow_id == opening.workflow_id and maker.record == taken.key):
            raise SnapshotExists(exists(taken))
        native = knows_snapshots(self._clients.metadata(request.source), self._clients.keys(request.source))
        snapshot = self._allocate(request, collection.id)
        return SnapshotOrder(
            request=request,
            workflow_id=opening.workflow_id,
            snapshot_id=str(snapshot),
            collection_id=str(collection.id),
            record=records.key(collection.id, snapshot, native=native),
            started_at=int(datetime.now(UTC).timestamp() * 1000),
            recorded=recorded_by(native=native),
        )

    def _require_access(self, request: SnapshotRequest) -> None:
        objects, bucket = self._clients.objects(request.source), self._bucket(request)
        self._clients.metadata(request.source).check()
        try:
            objects.check(bucket)
        except ObjectMissing as error:
            raise InvalidRequest(
                f"the bucket {bucket!r} of profile {request.source!r} does not exist; set RESTORE_S3_BUCKET "
                "(in the file: bucket) to the one that Milvus uses"
            ) from error
        if request.flush:
            self._milvus(request).check()

    def _milvus(self, request: SnapshotRequest) -> Milvus:
        milvus = self._clients.milvus(request.source)
        if milvus is None:
            raise InvalidRequest(
                f"field flush: profile {request.source!r} has no Milvus address, and only Milvus can flush; "
                "set RESTORE_MILVUS_ADDRESS, or leave flush out"
            )
        return milvus

    def _collection(self, request: SnapshotRequest) -> TargetCollection:
        metadata, keys = self._clients.metadata(request.source), self._clients.keys(request.source)
        try:
            found = find_collection(metadata, keys, request.database, request.collection)
        except TargetNotFound as error:
            raise CollectionNotFound(str(error)) from error
        if found is None:
            raise CollectionNotFound(
                f"collection {request.collection!r} is not in database {request.database!r} of profile "
                f"{request.source!r}; check the name, or RESTORE_ETCD_ROOT_PATH"
            )
        return found

    def _allocate(self, request: SnapshotRequest, collection: int) -> int:
        """An id whose files are not there yet: they outlive an etcd that was lost."""
        metadata, keys = self._clients.metadata(request.source), self._clients.keys(request.source)
        ids = self._clients.ids(request.source, partial(existing_ids, metadata, keys))
        while True:
            (number,) = ids.allocate(1)
            if not self._files(request, collection, number).any():
                return number

    def _flush(self, order: SnapshotOrder, pulse: Pulse) -> None:
        milvus = self._milvus(order.request)
        flush = milvus.flush(order.request.database, order.request.collection)
        while not milvus.is_flushed(flush):
            pulse.wait(_FLUSH_LOOKS)

    def _begin(self, order: SnapshotOrder) -> None:
        request, records = order.request, self._records(order.request)
        held = records.maker(int(order.collection_id), request.name)
        if held and held.workflow_id == order.workflow_id and held.snapshot_id != order.snapshot_id:
            rest = {"snapshot_id": held.snapshot_id, "record": held.record}
            self._discard(order.model_copy(update=rest))
        collection = self._same_collection(order)
        info = SnapshotInfo(
            name=request.name,
            id=int(order.snapshot_id),
            description=request.description,
            collection_id=collection.id,
            partition_ids=sorted(collection.partitions.values()),
            state=SnapshotStatePending,
            pending_start_time=order.started_at,
            channel_seek_positions=seek_positions(
                self._clients.metadata(request.source), self._clients.keys(request.source), collection
            ),
        )
        info.create_ts = _signed(min((each.timestamp for each in info.channel_seek_positions), default=0))
        records.begin(order.record, info, order.workflow_id)

    def _same_collection(self, order: SnapshotOrder) -> TargetCollection:
        collection = self._collection(order.request)
        if str(collection.id) != order.collection_id:
            raise CollectionNotFound(
                f"collection {order.request.collection!r} was dropped and made anew while its snapshot was "
                f"being made: expected id {order.collection_id}, found {collection.id}; create it again"
            )
        return collection

    def _write(self, order: SnapshotOrder, pulse: Pulse) -> SnapshotCount:
        request, source = order.request, order.request.source
        record = self._records(request).get(order.record)
        if record is None or record.info.state != SnapshotStatePending:
            raise Fenced(f"{order.record}: the snapshot was removed while it was being made; create it again")
        collection, root = self._same_collection(order), self._clients.profile(source).s3.root_path
        writer = SnapshotWriter(
            SegmentCatalog(self._clients.metadata(source), self._clients.keys(source), collection, root),
            SegmentObjects(self._clients.objects(source), self._bucket(request), root),
            self._files_of(order),
            self._clients.list_threads,
        )

        def tell(count: SnapshotCount) -> None:
            pulse.position = count
            pulse.check()

        return writer.write(record.info, collection, request.database, tell)

    def _commit(self, order: SnapshotOrder) -> str:
        at = self._files_of(order).metadata
        self._records(order.request).commit(order.record, at.key)
        return str(at)

    def _discard(self, order: SnapshotOrder) -> bool:
        records = self._records(order.request)
        record = records.mark_deleting(order.record)
        if record is not None and record.info.state == SnapshotStateCommitted:
            return False
        self._files_of(order).remove()
        records.forget(order.record, int(order.collection_id), order.request.name, int(order.snapshot_id))
        return True

    def _records(self, request: SnapshotRequest) -> SnapshotRecords:
        return SnapshotRecords(self._clients.metadata(request.source), self._clients.keys(request.source))

    def _files_of(self, order: SnapshotOrder) -> SnapshotFiles:
        return self._files(order.request, int(order.collection_id), int(order.snapshot_id))

    def _files(self, request: SnapshotRequest, collection: int, snapshot: int) -> SnapshotFiles:
        root = self._clients.profile(request.source).s3.root_path
        objects, bucket = self._clients.objects(request.source), self._bucket(request)
        return SnapshotFiles(objects, bucket, root, collection, snapshot)

    def _bucket(self, request: SnapshotRequest) -> str:
        return self._clients.profile(request.source).s3.bucket


def _signed(number: int) -> int:
    """An unsigned timestamp in a field that is not."""
    return number - 2**64 if number >= 2**63 else number
