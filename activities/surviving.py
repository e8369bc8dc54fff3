"""What was staged beside a running Milvus is looked at once more, when a restore can just be undone."""

import logging
from datetime import UTC, datetime

from activities.pulse import Pulse
from formats.errors import UnsupportedFormat
from restore.errors import AccessDenied, ObjectMissing
from restore.plan import Plan, PlannedObject
from restore.steps import StagedPlan
from stores.clients import Clients
from stores.coordinator import running_coordinator
from stores.inventory import Inventory
from stores.job_ledger import JobLedger
from stores.ports import Location
from stores.staged_records import keys_of

_log = logging.getLogger("milvus-restore")

USUAL_TOLERANCE = 3600.0
"""Seconds for which Milvus leaves alone what no record names (dataCoord.gc.missingTolerance), unless told."""

_CURE = (
    "Milvus's garbage collection removes what its memory does not name: set RESTORE_MILVUS_MANAGEMENT to "
    "have it paused, or raise dataCoord.gc.missingTolerance, or stop Milvus while it is restored into"
)


def require_survival(clients: Clients, staged: StagedPlan, plan: Plan, pulse: Pulse) -> None:
    """Return when no Milvus runs, or all that was staged is there and not older than it tolerates.

    Raises ObjectMissing naming an object that is gone, or the age in seconds that a configured tolerance
    does not allow (spec/real-milvus.md, section 4).
    """
    profile = staged.plan.profile
    if not _collects(clients, profile):
        return
    _require_youth(clients, staged, plan)
    archive = clients.archive(profile)
    for index in range(staged.plan.tasks):
        pulse.check()
        segments = archive.segments(staged.plan, index)
        _require_there(
            clients, profile, plan, [each for segment in segments for each in plan.objects(segment)]
        )


def _collects(clients: Clients, profile: str) -> bool:
    """True unless no coordinator lives; one whose record cannot be read, or may not be, lives."""
    try:
        return running_coordinator(clients.metadata(profile), clients.keys(profile)) is not None
    except (UnsupportedFormat, AccessDenied):
        return True


def _require_youth(clients: Clients, staged: StagedPlan, plan: Plan) -> None:
    """A job's objects are no older than the job; while the collection is paused, their age is no matter."""
    milvus = clients.profile(staged.plan.profile).milvus
    job = JobLedger(clients.metadata(staged.plan.profile), keys_of(plan)).job(plan.job_id)
    if milvus.management or job is None:
        return
    age = datetime.now(UTC).timestamp() - job.start_ts / 1e9
    if age <= (milvus.gc_tolerance or USUAL_TOLERANCE):
        return
    told = f"what was staged for collection {plan.target.collection!r} may be {age:.0f} s old"
    if milvus.gc_tolerance is None:
        _log.warning("%s; the usual tolerance is %.0f s. %s", told, USUAL_TOLERANCE, _CURE)
        return
    raise ObjectMissing(
        f"{told}, the tolerance is {milvus.gc_tolerance:g} s, so its objects may go at any time and nothing "
        f"is published; {_CURE}"
    )


def _require_there(clients: Clients, profile: str, plan: Plan, planned: list[PlannedObject]) -> None:
    objects, bucket = clients.objects(profile), plan.target.bucket
    keys = [each.target for each in planned]
    found = Inventory.take(objects, bucket, keys, clients.list_threads)
    there = found.confirmed(objects, keys, clients.list_threads).found
    for each in planned:
        if each.target not in there:
            raise ObjectMissing(
                f"{each.kind} object {Location(bucket, each.target)} was proved and is gone since, so "
                f"nothing is published; {_CURE}"
            )
