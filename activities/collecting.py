"""The steps of CollectGarbage: what is left and may go, and a piece of it gone."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from temporalio import activity

from activities.cut_off import has_ended
from activities.orphan_survey import Remains, survey
from activities.pulse import BEAT_SECONDS, Pulse, run_blocking
from formats.pins import expired_pins, unpinned
from formats.proto.data_pb2 import SnapshotInfo, SnapshotStateDeleting
from restore.errors import ObjectMismatch, ObjectMissing, SnapshotCorrupt
from restore.garbage import MOST, Garbage, GarbageRequest, Litter, Removal
from stores.clients import Clients
from stores.litter import LitterSurvey
from stores.named_objects import Doomed, NamedObjects
from stores.snapshot_pins import now_ms
from stores.snapshot_records import SnapshotRecord
from stores.snapshots import open_snapshot

T = TypeVar("T")

_MINUTE_MS = 60_000


class CollectingActivities:
    """Nothing that a committed snapshot names is ever among what may go; one that is unreadable stops all."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    @activity.defn
    async def find_garbage(self, request: GarbageRequest) -> Garbage:
        """Return what is left; nothing is written. What must stay says why.

        Raises what reading a committed snapshot raises: SnapshotNotFound, SnapshotCorrupt and others.
        """
        found = await run_blocking(self._clients.work_threads, lambda _: self._snapshots(request))
        idle = [each for each in found if not await self._is_being_made(request, each)]
        restores = await _beating(survey(activity.client(), self._clients, request.profile))
        litter = [*idle, *(_litter(each) for each in restores if each.standing not in ("running", "kept"))]
        return await run_blocking(
            self._clients.work_threads, lambda pulse: self._judged(request, litter, pulse)
        )

    @activity.defn
    async def collect_snapshot(self, removal: Removal) -> None:
        """Have nothing of a snapshot that nobody makes any more or that is half dropped, or no expired pins.

        What has been committed or pinned anew since is left alone.
        """
        await run_blocking(self._clients.work_threads, lambda _: self._collect(removal))

    def _snapshots(self, request: GarbageRequest) -> list[Litter]:
        self._clients.metadata(request.profile).check()
        found = LitterSurvey(self._clients, request.profile)
        return list(found.snapshots(now_ms(), request.pending_minutes * _MINUTE_MS))

    async def _is_being_made(self, request: GarbageRequest, litter: Litter) -> bool:
        if litter.kind != "pending":
            return False
        records = LitterSurvey(self._clients, request.profile).records
        record = await asyncio.to_thread(records.get, litter.record)
        if record is None:
            return True
        maker = await asyncio.to_thread(records.maker, record.info.collection_id, record.info.name)
        ours = maker is not None and maker.record == litter.record
        return maker is not None and ours and not await has_ended(maker.workflow_id)

    def _judged(self, request: GarbageRequest, litter: list[Litter], pulse: Pulse) -> Garbage:
        found = LitterSurvey(self._clients, request.profile)
        litter, more = litter[:MOST], len(litter) > MOST
        litter, doomed = _placed(found, litter)
        named = NamedObjects(self._clients.profile(request.profile).s3.bucket, doomed)
        for record in found.keepers:
            pulse.check()
            for owner in self._named_by(request, record, named):
                why = f"snapshot {record.info.name!r}, id {record.info.id}, names something of it"
                litter[owner] = litter[owner].model_copy(update={"kept": why})
        return Garbage(litter=tuple(litter), snapshots=len(found.keepers), more=more)

    def _named_by(self, request: GarbageRequest, record: SnapshotRecord, named: NamedObjects) -> set[int]:
        """The owners of doomed places that a committed snapshot names."""
        if not record.info.s3_location:
            raise SnapshotCorrupt(
                f"{record.key}: snapshot {record.info.name!r}, id {record.info.id}, does not say where its "
                "metadata file is, so nothing tells what it names; nothing was removed"
            )
        objects, bucket = (
            self._clients.objects(request.profile),
            self._clients.profile(request.profile).s3.bucket,
        )
        opened = open_snapshot(objects, bucket, record.info.s3_location)
        return named.owners(opened, objects, self._clients.list_threads)

    def _collect(self, removal: Removal) -> None:
        found, litter = LitterSurvey(self._clients, removal.profile), removal.litter
        if litter.kind == "pins":
            found.records.change(litter.record, _without_expired)
            return
        record = found.records.mark_deleting(litter.record)
        if record is None or record.info.state != SnapshotStateDeleting:
            return
        found.files(record.info).remove()
        found.records.forget(litter.record, record.info.collection_id, record.info.name, record.info.id)


def _without_expired(info: SnapshotInfo) -> SnapshotInfo:
    return unpinned(info, set(expired_pins(info, now_ms())))


def _litter(remains: Remains) -> Litter:
    kept = "" if remains.standing == "orphan" else f"{remains.standing}: {remains.advice}"
    return Litter(
        kind="restore",
        what=f"restore {remains.job_id} into {remains.target or 'an unknown target'}",
        why=remains.reason,
        job_id=remains.job_id,
        rollback_id=remains.rollback_id,
        kept=kept,
    )


def _placed(found: LitterSurvey, litter: Iterable[Litter]) -> tuple[list[Litter], Doomed]:
    """Where each piece lies, by its number; a restore whose plan is damaged is kept."""
    pieces: list[Litter] = []
    doomed: Doomed = {}
    for number, each in enumerate(litter):
        try:
            places = set() if each.kept else found.places(each)
        except (ObjectMissing, ObjectMismatch) as error:
            places, kept = set(), f"its plan is damaged, `doctor --orphans` tells more: {error}"
            each = each.model_copy(update={"kept": kept})
        pieces.append(each)
        doomed |= dict.fromkeys(places, number)
    return pieces, doomed


async def _beating(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that does not beat by itself."""
    task = asyncio.ensure_future(work)
    while not task.done():
        activity.heartbeat()
        await asyncio.wait([task], timeout=BEAT_SECONDS)
    return task.result()
