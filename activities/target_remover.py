"""Taking away a target that a restore made: that one, and only while it is nobody else's."""

from restore.errors import AccessDenied, TargetBusy, TargetNotFound
from restore.reservation import Owner
from restore.steps import Removal
from restore.target_origin import TargetOrigin
from stores.catalog import collection_names
from stores.clients import Clients
from stores.collection_state import segments_of
from stores.reservations import Reservations, now


class TargetRemover:
    """Removes the collections that a note names as one restore's own; may be repeated."""

    def __init__(self, clients: Clients, destination: str, job_id: str) -> None:
        self._profile = destination
        self._job_id = job_id
        self._milvus = clients.milvus(destination)
        self._store = clients.metadata(destination)
        self._keys = clients.keys(destination)
        self._reservations = Reservations(self._store, self._keys)

    def remove(self, origin: TargetOrigin) -> Removal:
        """Drop what the restore made, unless it holds segments or another restore has it.

        AccessDenied when there is no Milvus to ask any more.
        """
        removals = [
            self._remove(origin, number, name)
            for number, name in self._names(origin).items()
            if origin.owns(number, name)
        ]
        if origin.collection_id is not None:
            self._release(origin.collection_id)
        return "left" if "left" in removals else "removed" if removals else "none"

    def _names(self, origin: TargetOrigin) -> dict[int, str]:
        try:
            return collection_names(self._store, self._keys, origin.database)
        except TargetNotFound:  # the database is gone, and all in it
            return {}

    def _remove(self, origin: TargetOrigin, collection_id: int, name: str) -> Removal:
        if not self._held(origin, collection_id) or segments_of(self._store, self._keys, collection_id)[0]:
            return "left"
        if self._milvus is None:
            raise AccessDenied(
                f"collection {name!r} in database {origin.database!r} was made by restore {self._job_id}, "
                f"and profile {self._profile!r} has no Milvus address any more to drop it with; set "
                "RESTORE_MILVUS_ADDRESS, or drop it by hand"
            )
        self._milvus.drop_collection(origin.database, name)
        self._release(collection_id)
        return "removed"

    def _held(self, origin: TargetOrigin, collection_id: int) -> bool:
        """True when no other restore has the collection, nor can get it now."""
        held = self._reservations.look(collection_id)
        if held is not None:
            return held[0].job_id == self._job_id
        owner = Owner(
            job_id=self._job_id,
            workflow_id=f"restore/{origin.database}/{origin.collection}",
            state="active",
            since=now().isoformat(timespec="seconds"),
            fingerprint="",
        )
        try:
            self._reservations.take(collection_id, owner, {})
        except TargetBusy:
            return False
        return True

    def _release(self, collection_id: int) -> None:
        """Give back a reservation that was only taken for the removal; a fence has another state."""
        held = self._reservations.look(collection_id)
        if held is not None and held[0].job_id == self._job_id and held[0].state == "active":
            self._reservations.release(collection_id, held[1].mod_revision, {})
