"""What workflows hand to activities and get back: references and counts, never lists of files."""

from typing import Annotated, Literal

from pydantic import Field

from formats.model import Model
from restore.plan import PlanRef
from restore.request import RestoreRequest


class StagedPlan(Model):
    """A plan whose target is reserved."""

    plan: PlanRef
    epoch: int


class Opening(Model):
    """A request found sound: the snapshot is readable, the target is empty and fits, or can be made.

    `job_id` is new, or with `kept` that of a kept restore which this one goes on with. `search_attributes`
    tells whether the server knows ours. With `create_target` the target is absent and Milvus can make it.
    `unfinished` is the same restore, cut off while it published by an end of its workflow: only finishing
    is left to do. `pausable` tells that the target's cluster names an endpoint that can pause its garbage
    collection.
    """

    job_id: str
    snapshot_name: str
    search_attributes: bool
    create_target: bool = False
    unfinished: StagedPlan | None = None
    kept: bool = False
    pausable: bool = False


class PlanOrder(Model):
    """What create_target and plan_restore work from."""

    job_id: str
    request: RestoreRequest


class Claim(Model):
    """What reserve_target works from; the workflow is named to whoever meets the reservation."""

    plan: PlanRef
    workflow_id: str


class Reservation(Model):
    """The target is ours as long as the reservation's etcd revision is this epoch."""

    epoch: int


class TaskRef(Model):
    """One task of a staged plan; `parent` is the workflow that wants to hear of progress."""

    plan: PlanRef
    epoch: int
    index: int
    parent: str


class CopyCount(Model):
    """What copying a task did: objects in place at its end, of them found there, bytes of all."""

    objects: int = 0
    skipped: int = 0
    bytes: int = 0


class CopyReport(Model):
    """How far the copying of one task is; counts only grow, so a repeated report does no harm.

    `halted`: the task was told to stop, starts no further copy, and only waits for those in flight.
    """

    index: int
    objects: int
    bytes: int
    halted: bool = False


class TaskResult(Model):
    """A task whose objects are proved and whose records are staged."""

    segments: int
    objects: int
    skipped: int
    bytes: int


class Completion(Model):
    """What the certificate tells beside the plan."""

    staged: StagedPlan
    objects: int
    objects_skipped: int
    bytes: int
    started_at: str


class Certified(Model):
    """Where the certificate lies."""

    uri: str


UNREST_SECONDS = 20.0
"""How long a task whose workflow was terminated may still copy: a heartbeat tells it, within 15 s."""


class RollbackRequest(Model):
    """The input of RollbackRestore: which job to undo, and why, for the job's record.

    `unrest_seconds` tells how long its tasks may still copy; left out, it is found out.
    """

    job_id: str
    destination: str = "default"
    reason: str = "rolled back by hand"
    unrest_seconds: Annotated[float, Field(ge=0, le=3600)] | None = None


class Fence(Model):
    """A rollback that may delete: the epoch was raised, or there was no reservation (0).

    Objects only after `unrest_seconds`, in which tasks may still copy.
    """

    job_id: str
    destination: str
    epoch: int
    reason: str
    unrest_seconds: float = 0.0


Removal = Literal["none", "removed", "left"]
"""What a rollback did with the target: not this restore's own, gone, or left as somebody else's by now."""


class RollbackResult(Model):
    """What a rollback removed."""

    job_id: str
    records: int = 0
    objects: int = 0
    target: Removal = "none"
