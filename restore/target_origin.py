"""A target that a restore makes: written down before it appears, so that a rollback knows what is ours."""

from typing import Literal

from formats.model import Model


class TargetOrigin(Model):
    """Which collection a restore makes, and under which name it does so.

    The collection gets its own name only when it is complete; until then it has one that nobody else would
    choose. Ours is what has that name or, once it is known, `collection_id`.
    """

    version: Literal[1] = 1
    job_id: str
    database: str
    collection: str
    collection_id: int | None = None

    @property
    def interim(self) -> str:
        """The name of the unfinished collection."""
        return f"milvus_restore_{self.job_id}"

    def owns(self, collection_id: int, name: str) -> bool:
        """True when a collection with this id and name is the one that the restore made."""
        return name == self.interim or collection_id == self.collection_id
