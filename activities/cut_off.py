"""A publishing that was cut off by the end of its workflow: nothing but finishing it is right."""

from dataclasses import dataclass

from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from restore.errors import TargetNotFound
from restore.plan import Plan
from restore.request import RestoreRequest
from restore.reservation import Owner
from restore.steps import StagedPlan
from stores.catalog import find_collection
from stores.clients import Clients
from stores.reservations import Reservations


@dataclass(frozen=True)
class CutOff:
    """A restore whose segments may be visible in part, and the workflow that was to finish it."""

    owner: Owner
    staged: StagedPlan
    plan: Plan


def find_publishing(clients: Clients, request: RestoreRequest) -> CutOff | None:
    """Return the publishing restore that owns the request's target and was asked for alike; else None.

    The snapshot is not looked at: all that is left to do is in the plan.
    """
    profile = request.destination
    metadata, keys = clients.metadata(profile), clients.keys(profile)
    try:
        target = find_collection(metadata, keys, request.database, request.target)
    except TargetNotFound:
        return None
    held = Reservations(metadata, keys).look(target.id) if target else None
    if held is None or held[0].state != "publishing":
        return None
    archive = clients.archive(profile)
    ref = archive.find(int(held[0].job_id))
    if ref is None or not _alike(archive.plan(ref).request, request):
        return None
    return CutOff(held[0], StagedPlan(plan=ref, epoch=held[1].mod_revision), archive.plan(ref))


async def has_ended(workflow_id: str) -> bool:
    """True when no workflow of this id runs, or it is the caller's own: then its earlier run has ended."""
    if activity.info().workflow_id == workflow_id:
        return True
    try:
        found = await activity.client().get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return True
        raise
    return found.status is not WorkflowExecutionStatus.RUNNING


def _alike(planned: RestoreRequest, asked: RestoreRequest) -> bool:
    """The target is the same collection, however its profile is called by now."""
    return _what(planned) == _what(asked)


def _what(request: RestoreRequest) -> tuple[object, ...]:
    return request.snapshot, request.partitions, request.rewrite_descriptors
