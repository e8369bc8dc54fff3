"""The records of snapshots: where they lie, and the steps of making and removing one.

A cluster that has snapshots of its own keeps them below `datacoord-meta/snapshot/`. An older one would not
start with such a key, so there they lie below our own prefix (stores/cluster_version.py); its coordinator
knows nothing of them and protects nothing. Every step is a transaction guarded by the record's revision.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from formats.catalog import is_live
from formats.keys import MetaKeys
from formats.model import Model
from formats.proto.data_pb2 import (
    SnapshotInfo,
    SnapshotStateCommitted,
    SnapshotStateDeleting,
    SnapshotStatePending,
)
from formats.wire import decode, encode
from restore.errors import Fenced, SnapshotExists
from restore.snapshot_summary import Recorded
from stores.ports import Guard, MetadataStore, Record, Transaction

_TRIES = 20


class Creation(Model):
    """Who makes a snapshot: the workflow, and the record that it has put. Ids are text, as everywhere."""

    snapshot_id: str
    record: str
    workflow_id: str


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A snapshot's record as read; `native` when it lies where Milvus looks."""

    key: str
    mod_revision: int
    info: SnapshotInfo
    native: bool


class SnapshotRecords:
    """The snapshots of one cluster, of both places."""

    def __init__(self, metadata: MetadataStore, keys: MetaKeys) -> None:
        self._metadata = metadata
        self._keys = keys

    def all(self, *collection: int) -> Iterator[SnapshotRecord]:
        """Yield every record, in whatever state, narrowed by collection."""
        for prefix in (self._keys.snapshots(*collection), self._keys.own_snapshots(*collection)):
            for record in self._metadata.scan(prefix):
                if is_live(record.value):
                    yield self._read(record)

    def get(self, key: str) -> SnapshotRecord | None:
        """Return the record at a key."""
        record = self._metadata.get(key)
        return self._read(record) if record is not None and is_live(record.value) else None

    def key(self, collection: int, snapshot: int, *, native: bool) -> str:
        """Return where a record lies, in Milvus's place or in ours."""
        place = self._keys.snapshot if native else self._keys.own_snapshot
        return place(collection, snapshot)

    def named(self, collection: int, name: str, *, beside: int = 0) -> SnapshotRecord | None:
        """Return the snapshot of this name, committed or being made, beside the one of an id, if any."""
        alive = (SnapshotStateCommitted, SnapshotStatePending)
        found = (each for each in self.all(collection) if each.info.name == name and each.info.id != beside)
        return next((each for each in found if each.info.state in alive), None)

    def maker(self, collection: int, name: str) -> Creation | None:
        """Return who makes a snapshot of this name; None when nobody does."""
        record = self._metadata.get(self._keys.snapshot_creation(collection, name))
        return Creation.model_validate_json(record.value) if record else None

    def begin(self, key: str, info: SnapshotInfo, workflow_id: str) -> None:
        """Have the PENDING record, put by this caller now or earlier.

        SnapshotExists when the name is another's, who began or finished first.
        """
        claim = self._keys.snapshot_creation(info.collection_id, info.name)
        maker = Creation(snapshot_id=str(info.id), record=key, workflow_id=workflow_id)
        puts = {claim: maker.model_dump_json().encode(), key: encode(info)}
        if not self._metadata.commit(Transaction([Guard(claim, 0), Guard(key, 0)], puts)):
            held = self.maker(info.collection_id, info.name)
            if held is None or held.snapshot_id != maker.snapshot_id:
                raise SnapshotExists(being_made(info, held))
        # Only now is nobody else able to begin: whoever finished before has left a record.
        other = self.named(info.collection_id, info.name, beside=info.id)
        if other is not None:
            raise SnapshotExists(exists(other))

    def commit(self, key: str, location: str) -> SnapshotInfo:
        """Have the record COMMITTED with its location; Fenced when it is gone or being removed."""
        for _ in range(_TRIES):
            record = self.get(key)
            if record is None or record.info.state not in (SnapshotStatePending, SnapshotStateCommitted):
                raise Fenced(f"{key}: the snapshot was removed while it was being made; create it again")
            if record.info.state == SnapshotStateCommitted:
                return record.info
            info = SnapshotInfo()
            info.CopyFrom(record.info)
            info.state, info.s3_location = SnapshotStateCommitted, location
            if self._replace(record, info):
                return info
        raise Fenced(f"{key}: the record was changed by others {_TRIES} times in a row")

    def mark_deleting(self, key: str) -> SnapshotRecord | None:
        """Have the record DELETING, so that nobody commits it any more; None when there is none.

        A committed one is not touched, but returned as it is.
        """
        while (record := self.get(key)) is not None:
            if record.info.state != SnapshotStatePending:
                return record
            info = SnapshotInfo()
            info.CopyFrom(record.info)
            info.state = SnapshotStateDeleting
            self._metadata.commit(
                Transaction([Guard(record.key, record.mod_revision)], {record.key: encode(info)})
            )
        return None

    def change(self, key: str, edit: Callable[[SnapshotInfo], SnapshotInfo]) -> SnapshotInfo | None:
        """Have the record as `edit` makes it of what is there, and return it; None when there is none.

        What `edit` raises is raised, and what it leaves as it is is not written.
        """
        for _ in range(_TRIES):
            record = self.get(key)
            if record is None:
                return None
            info = edit(record.info)
            guard, value = Guard(record.key, record.mod_revision), encode(info)
            if value == encode(record.info) or self._metadata.commit(Transaction([guard], {key: value})):
                return info
        raise Fenced(f"{key}: the record was changed by others {_TRIES} times in a row")

    def forget(self, key: str, collection: int, name: str, snapshot: int) -> None:
        """Have neither the record nor this snapshot's claim of the name."""
        claim = self._metadata.get(self._keys.snapshot_creation(collection, name))
        ours = claim is not None and Creation.model_validate_json(claim.value).snapshot_id == str(snapshot)
        self._metadata.commit(Transaction(deletes=[key, *([claim.key] if claim and ours else [])]))

    def _replace(self, record: SnapshotRecord, info: SnapshotInfo) -> bool:
        """Put the record anew, and free the name that was claimed while the snapshot was made."""
        claim = self._keys.snapshot_creation(info.collection_id, info.name)
        guard = Guard(record.key, record.mod_revision)
        return self._metadata.commit(Transaction([guard], {record.key: encode(info)}, [claim]))

    def _read(self, record: Record) -> SnapshotRecord:
        info = decode(SnapshotInfo, record.value, record.key)
        native = record.key.startswith(self._keys.snapshots())
        return SnapshotRecord(record.key, record.mod_revision, info, native)


def exists(record: SnapshotRecord) -> str:
    """Say that the name is taken."""
    state = "is being made" if record.info.state == SnapshotStatePending else "exists already"
    return (
        f"snapshot {record.info.name!r} of collection {record.info.collection_id} {state}, id "
        f"{record.info.id}; choose another name, or drop it first"
    )


def being_made(info: SnapshotInfo, held: Creation | None) -> str:
    """Say who makes a snapshot of this name."""
    who = f"workflow {held.workflow_id} (id {held.snapshot_id})" if held else "somebody else"
    return (
        f"a snapshot {info.name!r} of collection {info.collection_id} is being made by {who}; wait for it, "
        "or choose another name"
    )


def recorded_by(*, native: bool) -> Recorded:
    """Say in whose records a snapshot is: `milvus`, which protects what it names, or `milvus-restore`."""
    return "milvus" if native else "milvus-restore"
