"""The steps of DropSnapshot: found and free, then DELETING, then its files, then its record."""

from temporalio import activity

from activities.pulse import run_blocking
from formats.proto.data_pb2 import SnapshotStateCommitted
from restore.errors import InvalidRequest
from restore.snapshot_drop import DropOrder, DropRequest
from stores.clients import Clients
from stores.snapshot_catalog import SnapshotCatalog, SnapshotName
from stores.snapshot_files import SnapshotFiles
from stores.snapshot_pins import SnapshotPins, now_ms, require_droppable
from stores.snapshot_records import SnapshotRecord, SnapshotRecords


class DropActivities:
    """Each may be repeated; what is gone already is no error. Data files are never touched."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def open_drop(self, request: DropRequest) -> DropOrder | None:
        """Return what is to go, None where there is no such snapshot; nothing is written.

        Raises SnapshotPinned while it is held, InvalidRequest while it is being made or its name is not
        enough, AccessDenied for an unreachable store.
        """
        return await run_blocking(self._clients.work_threads, lambda _: self._open(request))

    @activity.defn
    async def begin_drop(self, order: DropOrder) -> bool:
        """Have the record DELETING, without pins; False when it is gone. SnapshotPinned when held by now."""
        return await run_blocking(self._clients.work_threads, lambda _: self._begin(order))

    @activity.defn
    async def remove_snapshot(self, order: DropOrder) -> int:
        """Have neither files, the metadata last, nor then the record; return how many files were removed."""
        return await run_blocking(self._clients.work_threads, lambda _: self._remove(order))

    def _open(self, request: DropRequest) -> DropOrder | None:
        self._clients.metadata(request.source).check()
        record = self._found(request)
        if record is None:
            return None
        require_droppable(record.info, now_ms())
        order = DropOrder(
            source=request.source,
            record=record.key,
            collection_id=str(record.info.collection_id),
            snapshot_id=str(record.info.id),
            name=record.info.name,
        )
        files = self._files(order, record)
        files.objects.check(files.bucket)
        return order

    def _found(self, request: DropRequest) -> SnapshotRecord | None:
        """The committed one of this name, else one that was left half dropped."""
        profile = self._clients.profile(request.source)
        metadata, keys = self._clients.metadata(request.source), self._clients.keys(request.source)
        catalog = SnapshotCatalog(metadata, keys, self._clients.objects(request.source), profile.s3.bucket)
        wanted = SnapshotName(request.database, request.collection, request.name)
        found = catalog.records(wanted)
        committed = [each for each in found if each.info.state == SnapshotStateCommitted]
        if len(committed) > 1:
            raise InvalidRequest(
                f"{len(committed)} snapshots are called {wanted}, of collections "
                f"{', '.join(str(each.info.collection_id) for each in committed)}; say one of these ids in "
                "place of the collection's name"
            )
        return next(iter(committed or found), None)

    def _begin(self, order: DropOrder) -> bool:
        return SnapshotPins(self._records(order)).begin_drop(order.record) is not None

    def _remove(self, order: DropOrder) -> int:
        records = self._records(order)
        record = records.get(order.record)
        if record is None:
            return 0
        removed = self._files(order, record).remove()
        records.forget(order.record, int(order.collection_id), order.name, int(order.snapshot_id))
        return removed

    def _records(self, order: DropOrder) -> SnapshotRecords:
        return SnapshotRecords(self._clients.metadata(order.source), self._clients.keys(order.source))

    def _files(self, order: DropOrder, record: SnapshotRecord) -> SnapshotFiles:
        s3 = self._clients.profile(order.source).s3
        return SnapshotFiles.of(self._clients.objects(order.source), s3.bucket, s3.root_path, record.info)
