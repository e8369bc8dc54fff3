"""Which restore made its target itself: `target.json` beside the restore's plan."""

from pydantic import ValidationError

from restore.errors import ObjectMismatch
from restore.target_origin import TargetOrigin
from stores.ports import Location, ObjectStore


class TargetOrigins:
    """The notes of one destination; `folder` leads to what a restore keeps beside its data."""

    def __init__(self, objects: ObjectStore, bucket: str, folder: str) -> None:
        self._objects = objects
        self._at = Location(bucket, f"{folder}target.json")

    def find(self) -> TargetOrigin | None:
        """Return the note, or None where the restore makes no target; ObjectMismatch when it is damaged."""
        if self._objects.stat(self._at) is None:
            return None
        try:
            return TargetOrigin.model_validate_json(self._objects.get(self._at))
        except ValidationError as error:
            raise ObjectMismatch(f"object {self._at} does not tell the target's origin: {error}") from error

    def put(self, origin: TargetOrigin) -> TargetOrigin:
        """Store the note, and return it."""
        self._objects.put(self._at, origin.model_dump_json().encode())
        return origin

    def remove(self) -> None:
        """Remove the note; nothing of the target is ours any more."""
        self._objects.delete(self._at.bucket, [self._at.key])
