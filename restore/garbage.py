"""What CollectGarbage is asked for, what it finds, and what it answers."""

from typing import Annotated, Literal

from pydantic import Field

from formats.model import Model
from restore.request import Name

Kind = Literal["pending", "deleting", "pins", "restore"]
"""A snapshot that nobody makes any more, one half dropped, expired pins of one, a restore's remains."""

PENDING_MINUTES = 60
"""Milvus's own limit (snapshot-format.md, section 4.7)."""

MOST = 200
"""Pieces of one run, so that its history stays short; the next run finds the rest."""


class GarbageRequest(Model):
    """The input of CollectGarbage: nothing is removed without `confirm`. `profile` names the cluster."""

    profile: Name = "default"
    confirm: Annotated[bool, Field(strict=True)] = False
    pending_minutes: Annotated[int, Field(ge=1, strict=True)] = PENDING_MINUTES


class Litter(Model):
    """One piece of garbage. `record` is a snapshot's, `job_id` a restore's.

    With `kept` it is not removed, for that reason: a committed snapshot names an object of it, say.
    """

    kind: Kind
    what: str
    why: str
    record: str = ""
    job_id: str = ""
    rollback_id: str = ""
    kept: str = ""


class Removal(Model):
    """What collect_snapshot works from."""

    profile: str
    litter: Litter


class Garbage(Model):
    """What was found; `more` when there was more than one run takes."""

    litter: tuple[Litter, ...]
    snapshots: int
    more: bool = False


class Collected(Model):
    """One piece, and why it could not be removed; None when it was."""

    litter: Litter
    failure: str | None = None


class GarbageResult(Model):
    """The result of CollectGarbage: what was `found`; with `confirmed`, what became of what could go.

    `snapshots` is how many committed ones were read to know what they name.
    """

    confirmed: bool
    snapshots: int
    found: tuple[Litter, ...]
    collected: tuple[Collected, ...] = ()
    more: bool = False
