"""The workflow's own input: the public request, and what one run hands to the run that continues it."""

from datetime import datetime

from formats.model import Model
from restore.collection_pause import CollectionPause
from restore.plan import PlanRef
from restore.request import RestoreRequest
from restore.source_pin import SourcePin
from restore.tally import Counts


class Carry(Model):
    """A few hundred bytes, whatever the size of the restore. `again` lists tasks that a pause interrupted."""

    plan: PlanRef
    epoch: int
    search_attributes: bool
    cursor: int
    again: tuple[int, ...]
    done: Counts
    concurrency: int
    paused: bool
    started: datetime
    copying: datetime | None
    pin: SourcePin | None = None
    pause: CollectionPause | None = None


class RestoreInput(RestoreRequest):
    """A RestoreRequest; `carry` is for the workflow's own use."""

    carry: Carry | None = None

    @property
    def public(self) -> RestoreRequest:
        """What was asked for, without the carry."""
        return RestoreRequest.model_validate(self.model_dump(exclude={"carry"}))
