"""What DropSnapshot is asked for, what its steps hand on, and what it answers."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from formats.model import Model
from restore.request import Name
from restore.snapshot_request import split_collection

_DEFAULT = "default"


class DropRequest(Model):
    """The input of DropSnapshot; only `collection` and `name` are required.

    `collection` may be `database/collection`, or the id of one that the catalog has no more. `source` names
    a profile. `name` is not held to today's rules: what was once made can be dropped.
    """

    collection: Name
    name: Annotated[str, Field(min_length=1, max_length=255)]
    database: Name = _DEFAULT
    source: Name = _DEFAULT

    @model_validator(mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        return split_collection(given)

    @property
    def full_name(self) -> str:
        """`database/collection/name`."""
        return f"{self.database}/{self.collection}/{self.name}"


class DropOrder(Model):
    """A snapshot that is to go: its record, and its ids as text."""

    source: str
    record: str
    collection_id: str
    snapshot_id: str
    name: str


class DropResult(Model):
    """The result of DropSnapshot: `dropped` is False where there was none, `files` how many were removed."""

    dropped: bool
    snapshot_id: str | None = None
    files: int = 0
