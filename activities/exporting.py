"""The steps of ExportSnapshot: a bundle found possible, written, or taken away again."""

from temporalio import activity

from activities.opening import location_of
from activities.pulse import Pulse, is_ending, run_blocking
from formats.location import SnapshotLocation
from restore.errors import InvalidRequest, ObjectMissing
from restore.snapshot_export import ExportCount, ExportOrder, ExportRequest, ExportResult
from stores.bundle_writer import BundleWriter, Ends, remove_bundle
from stores.clients import Clients
from stores.ports import Location
from stores.snapshots import OpenSnapshot, open_snapshot


class ExportActivities:
    """Writes below the bundle's own root only."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def open_export(self, order: ExportOrder) -> str:
        """Return the snapshot's name when it can be read and the bundle's place may be written to.

        Raises SnapshotNotFound, SnapshotCorrupt, AccessDenied, and InvalidRequest for a bundle within the
        source's own root path.
        """
        return await run_blocking(self._clients.work_threads, lambda _: self._open(order))

    @activity.defn
    async def write_bundle(self, order: ExportOrder) -> ExportResult:
        """Have the whole bundle, the metadata last, and return what is in it."""
        return await run_blocking(self._clients.work_threads, lambda pulse: self._write(order, pulse))

    @activity.defn
    async def discard_bundle(self, order: ExportOrder) -> int:
        """Have nothing of the bundle; return how many objects were removed."""
        objects = self._clients.objects(order.request.destination)
        return await run_blocking(
            self._clients.work_threads, lambda _: remove_bundle(objects, order.bucket, order.root)
        )

    def _open(self, order: ExportOrder) -> str:
        target = self._clients.objects(order.request.destination)
        snapshot = self._snapshot(order.request)
        self._require_apart(order, snapshot)
        try:
            target.check(order.bucket)
        except ObjectMissing as error:
            raise InvalidRequest(
                f"field to: the bucket {order.bucket!r} does not exist at {target.endpoint}; create it first"
            ) from error
        target.check_writable(Location(order.bucket, f"{order.root}/writable"))
        return snapshot.source.name

    def _write(self, order: ExportOrder, pulse: Pulse) -> ExportResult:
        request, clients = order.request, self._clients
        ends = Ends(
            clients.objects(request.source),
            clients.objects(request.destination),
            clients.list_threads,
            clients.copy_threads,
            go_on=lambda: pulse.goes_on() and not is_ending(),
            check=pulse.check,
        )
        writer = BundleWriter(self._snapshot(request), ends, order.bucket, order.root)

        def tell(count: ExportCount) -> None:
            pulse.position = count

        count, uri = writer.write(tell)
        return ExportResult(metadata=uri, **count.model_dump())

    def _snapshot(self, request: ExportRequest) -> OpenSnapshot:
        bucket = self._clients.profile(request.source).s3.bucket
        text = location_of(request.snapshot, request.source, self._clients)
        return open_snapshot(self._clients.objects(request.source), bucket, text)

    def _require_apart(self, order: ExportOrder, snapshot: OpenSnapshot) -> None:
        """A bundle within Milvus's root would be taken for Milvus's own (snapshot-format.md, section 5.5)."""
        clients, request = self._clients, order.request
        one_store = clients.objects(request.source).endpoint == clients.objects(request.destination).endpoint
        root = SnapshotLocation.parse(snapshot.at.key).root
        within = not root or f"{order.root}/".startswith(f"{root}/")
        if one_store and snapshot.at.bucket == order.bucket and within:
            raise InvalidRequest(
                f"field to: {request.to} lies within the source's own root {root!r} of bucket "
                f"{order.bucket!r}; choose another bucket, or a prefix outside of it"
            )
