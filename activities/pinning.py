"""Holding the source of a restore by a pin in its record, where the source's catalog has one."""

import logging

from temporalio import activity

from activities.opening import location_of
from activities.pulse import run_blocking
from formats.location import SnapshotLocation
from formats.proto.data_pb2 import SnapshotStateDeleting
from restore.errors import AccessDenied, RestoreError, SnapshotNotFound, StoreUnavailable
from restore.plan import Plan
from restore.request import RestoreRequest
from restore.source_pin import HOLD_SECONDS, PinOrder, SourcePin, pin_number
from stores.clients import Clients
from stores.ports import Location
from stores.snapshot_catalog import SnapshotName
from stores.snapshot_pins import SnapshotPins, now_ms
from stores.snapshot_records import SnapshotRecord, SnapshotRecords

_log = logging.getLogger("milvus-restore")

_TRIES = 3
"""How often a catalog that does not answer is asked for a pin."""


class PinActivities:
    """A pin is a favour to the restore, never its condition: where none can be had, it goes on without."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def pin_source(self, order: PinOrder) -> SourcePin | None:
        """Have the source pinned for a day; None where no catalog has it, or it may not be written.

        SnapshotNotFound when the snapshot is being dropped.
        """
        return await run_blocking(self._clients.work_threads, lambda _: self._pin(order))

    @activity.defn
    async def renew_pin(self, pin: SourcePin) -> bool:
        """Have the pin for another day; False when the snapshot is gone or may not be pinned any more."""
        return await run_blocking(self._clients.work_threads, lambda _: self._renew(pin))

    @activity.defn
    async def unpin_source(self, pin: SourcePin) -> None:
        """Have no such pin."""
        await run_blocking(self._clients.work_threads, lambda _: self._release(pin))

    def _pin(self, order: PinOrder) -> SourcePin | None:
        request = order.request
        if not _has_catalog(self._clients, request):
            return None
        try:
            return self._hold(order)
        except (AccessDenied, StoreUnavailable) as error:
            if isinstance(error, StoreUnavailable) and activity.info().attempt < _TRIES:
                raise
            _log.warning("the source is not pinned, and may be dropped while it is restored: %s", error)
            return None

    def _hold(self, order: PinOrder) -> SourcePin | None:
        profile = order.request.source
        self._clients.metadata(profile).check()
        record = self._record(order.request)
        if record is None:
            return None
        if record.info.state == SnapshotStateDeleting:
            raise SnapshotNotFound(
                f"snapshot {record.info.name!r}, id {record.info.id}, is being dropped: it cannot be restored"
            )
        number = _number(self._clients, order.request.destination, order.job_id)
        pin = SourcePin(job_id=order.job_id, profile=profile, record=record.key, pin_id=str(number))
        try:
            self._pins(profile).hold(pin.record, int(pin.pin_id), _end())
        except SnapshotNotFound:
            if SnapshotName.parse(order.request.snapshot):
                raise
            return None  # of a URI the file is what counts, whatever a catalog says of it
        return pin

    def _record(self, request: RestoreRequest) -> SnapshotRecord | None:
        """The record of the very file that is restored; a copy elsewhere has none."""
        bucket = self._clients.profile(request.source).s3.bucket
        location = SnapshotLocation.parse(location_of(request.snapshot, request.source, self._clients))
        records, ids = _records(self._clients, request.source), (location.collection_id, location.snapshot_id)
        for native in (True, False):
            record = records.get(records.key(*ids, native=native))
            if record and record.info.s3_location:
                known = SnapshotLocation.parse(record.info.s3_location)
                if (known.bucket or bucket, known.key) == (location.bucket or bucket, location.key):
                    return record
        return None

    def _renew(self, pin: SourcePin) -> bool:
        try:
            self._pins(pin.profile).hold(pin.record, int(pin.pin_id), _end())
        except (SnapshotNotFound, AccessDenied) as error:
            _log.warning("the pin on the source could not be renewed: %s", error)
            return False
        return True

    def _release(self, pin: SourcePin) -> None:
        try:
            self._pins(pin.profile).release(pin.record, int(pin.pin_id))
        except AccessDenied as error:
            _log.warning("the pin on the source stays until it expires: %s", error)

    def _pins(self, profile: str) -> SnapshotPins:
        return SnapshotPins(_records(self._clients, profile))


def let_go(clients: Clients, plan: Plan, destination: str) -> None:
    """Have no pin of this restore on its source; where it cannot be taken back it expires by itself."""
    source = plan.request.source
    try:
        if not _has_catalog(clients, plan.request):
            return
        records = _records(clients, source)
        number = _number(clients, destination, str(plan.job_id))
        for native in (True, False):
            key = records.key(plan.snapshot.collection_id, plan.snapshot.id, native=native)
            SnapshotPins(records).release(key, number)
    except RestoreError as error:
        _log.warning("the pin on the source stays until it expires: %s", error)


def _has_catalog(clients: Clients, request: RestoreRequest) -> bool:
    """True unless the source's profile says nothing of an etcd, as one of a backup's bucket."""
    named = SnapshotName.parse(request.snapshot) is not None
    said = clients.profile(request.source).etcd.model_fields_set
    return named or request.source == request.destination or bool(said)


def _number(clients: Clients, destination: str, job_id: str) -> int:
    bucket = clients.profile(destination).s3.bucket
    folder = Location(bucket, clients.archive(destination).folder(job_id))
    return pin_number(clients.objects(destination).endpoint, str(folder))


def _records(clients: Clients, profile: str) -> SnapshotRecords:
    return SnapshotRecords(clients.metadata(profile), clients.keys(profile))


def _end() -> int:
    return now_ms() + HOLD_SECONDS * 1000
