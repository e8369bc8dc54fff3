"""What CreateSnapshot is asked for, and what it answers (architecture, section 4)."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from formats.model import Model
from restore.request import Name
from restore.snapshot_summary import Recorded

SnapshotName = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z_][A-Za-z0-9_$]*$")]
"""As Milvus allows it (snapshot-format.md, section 5.3)."""

_DEFAULT = "default"


def split_collection(given: Any) -> Any:
    """Return a request with `database/collection` taken apart; ValueError when two databases are meant."""
    if not isinstance(given, dict) or not isinstance(given.get("collection"), str):
        return given
    database, slash, collection = given["collection"].rpartition("/")
    if not slash:
        return given
    said = given.get("database", _DEFAULT)
    if said not in (_DEFAULT, database):
        raise ValueError(f"the collection's name begins with database {database!r}, but database is {said!r}")
    return {**given, "database": database, "collection": collection}


class SnapshotRequest(Model):
    """The input of CreateSnapshot; only `collection` and `name` are required.

    `collection` may be `database/collection`. `source` names a profile. With `flush`, rows that are still in
    memory are written first, through the profile's Milvus address.
    """

    collection: Name
    name: SnapshotName
    database: Name = _DEFAULT
    source: Name = _DEFAULT
    flush: Annotated[bool, Field(strict=True)] = False
    description: Annotated[str, Field(max_length=4096)] = ""

    @model_validator(mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        return split_collection(given)

    @property
    def full_name(self) -> str:
        """`database/collection/name`, by which a restore finds the snapshot."""
        return f"{self.database}/{self.collection}/{self.name}"


class SnapshotResult(Model):
    """The result of CreateSnapshot. Ids are text, since they exceed 2^53.

    `rows` is the sum of the segments' num_of_rows, deleted ones included; `objects` and `bytes` count what a
    restore would copy, as found in the store; `metadata` is the URI of the metadata JSON. `recorded` says in
    whose records it is: those of `milvus`, which then protects it, or of `milvus-restore`.
    """

    snapshot_id: str
    collection_id: str
    segments: int
    rows: int
    objects: int
    bytes: int
    metadata: str
    recorded: Recorded | None = None
