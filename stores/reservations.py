"""Who may write to a target: one key per collection, whose revision is the fencing epoch (decision 7)."""

from datetime import UTC, datetime

from formats.keys import MetaKeys
from restore.errors import Fenced, TargetBusy
from restore.reservation import Owner, State
from stores.ports import Guard, MetadataStore, Record, Transaction


class Reservations:
    """The reservations of one cluster."""

    def __init__(self, metadata: MetadataStore, keys: MetaKeys) -> None:
        self._metadata = metadata
        self._keys = keys

    def key(self, collection_id: int) -> str:
        """Where the reservation of a collection lies."""
        return self._keys.reservation(collection_id)

    def guard(self, collection_id: int, epoch: int) -> Guard:
        """The condition of every write of a restore: the reservation is as it was at this epoch."""
        return Guard(self.key(collection_id), epoch)

    def look(self, collection_id: int) -> tuple[Owner, Record] | None:
        """Who owns a collection now, or None."""
        record = self._metadata.get(self.key(collection_id))
        return (Owner.decode(record.value), record) if record else None

    def held_by(self, job_id: str) -> int | None:
        """Return the collection that a job has reserved, by looking through all reservations."""
        records = self._metadata.scan(self._keys.reservations)
        held = (each for each in records if Owner.decode(each.value).job_id == job_id)
        return next((int(each.key.rpartition("/")[2]) for each in held), None)

    def take(self, collection_id: int, owner: Owner, puts: dict[str, bytes]) -> int:
        """Reserve a collection and write `puts` with it; return the epoch.

        Idempotent for the same job in the same workflow; takes over what the same job kept; TargetBusy names
        any other owner. Fenced for a job that has ended: it has left in etcd what `puts` would begin with.
        """
        held = self.look(collection_id)
        if held is not None and _is_rival(held[0], owner):
            raise busy(held[0], collection_id)
        if held is not None and held[0].state not in ("active", "kept"):
            raise self.lost(collection_id, held[0])
        revision = held[1].mod_revision if held else 0
        if held is not None and held[0].state == "active":
            return revision
        key = self.key(collection_id)
        # What a job begins with is new, or its own since it was kept.
        guards = [Guard(key, revision), *(Guard(each, 0) for each in puts if held is None)]
        won = self._metadata.commit(Transaction(guards, {key: owner.encode(), **puts}))
        if not won and self.look(collection_id) is None:
            raise Fenced(f"restore {owner.job_id} has ended, so it cannot reserve {key}; start a new one")
        # Won or lost, or won and taken over since: what is there now tells.
        return self._own(collection_id, owner)

    def change(
        self, collection_id: int, job_id: str, epoch: int, state: State, puts: dict[str, bytes]
    ) -> int:
        """Change the state at this epoch, write `puts` with it, and return the new epoch; else Fenced.

        Idempotent: where this job has made the change already, its epoch is returned.
        """
        held = self.look(collection_id)
        if held is not None and held[0].job_id == job_id and held[0].state == state:
            return held[1].mod_revision
        if held is None or held[1].mod_revision != epoch:
            raise self.lost(collection_id, held[0] if held else None)
        changed = held[0].model_copy(update={"state": state})
        key = self.key(collection_id)
        self._metadata.commit(Transaction([Guard(key, epoch)], {key: changed.encode(), **puts}))
        # Won or lost: a late try of an earlier attempt may have made this very change since the look.
        held = self.look(collection_id)
        if held is None or held[0] != changed:
            raise self.lost(collection_id, held[0] if held else None)
        return held[1].mod_revision

    def release(self, collection_id: int, epoch: int, puts: dict[str, bytes]) -> bool:
        """Remove the reservation at this epoch and write `puts` with it; False when the epoch is over."""
        key = self.key(collection_id)
        return self._metadata.commit(Transaction([Guard(key, epoch)], puts, [key]))

    def lost(self, collection_id: int, owner: Owner | None) -> Fenced:
        """The error of a restore whose epoch is over."""
        now = f"it is held by restore {owner.job_id}, {owner.state}" if owner else "it is gone"
        return Fenced(
            f"the reservation {self.key(collection_id)} is no longer this restore's at its epoch: {now}; "
            "nothing more is written"
        )

    def _own(self, collection_id: int, owner: Owner) -> int:
        held = self.look(collection_id)
        if held is None:
            raise self.lost(collection_id, None)
        if _is_rival(held[0], owner):
            raise busy(held[0], collection_id)
        if held[0].state != owner.state:
            raise self.lost(collection_id, held[0])
        return held[1].mod_revision


def _is_rival(held: Owner, owner: Owner) -> bool:
    """Another job, or another workflow that goes on with the same kept job."""
    if held.job_id != owner.job_id:
        return True
    return held.state == "active" and held.workflow_id != owner.workflow_id


def busy(owner: Owner, collection_id: int) -> TargetBusy:
    """The error of meeting another restore's reservation."""
    advice = "wait for it, cancel it, or roll it back with RollbackRestore"
    if owner.state == "publishing":
        advice = (
            "wait for it; if its workflow was ended, the same restore started again finishes it, and so does "
            "`milvus-restore doctor --orphans --confirm`"
        )
    return TargetBusy(
        f"collection {collection_id} is reserved by restore {owner.job_id} (workflow {owner.workflow_id}, "
        f"{owner.state} since {owner.since}); {advice}"
    )


def now() -> datetime:
    """The worker's clock, UTC."""
    return datetime.now(UTC)
