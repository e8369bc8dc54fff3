"""What is left of snapshots and restores in one cluster, and where it lies. Reads only."""

from collections.abc import Iterator
from datetime import UTC, datetime

from formats.paths import prefixes
from formats.pins import expired_pins
from formats.proto.data_pb2 import (
    SnapshotInfo,
    SnapshotStateCommitted,
    SnapshotStateDeleting,
    SnapshotStatePending,
)
from restore.garbage import Litter
from restore.seal import seal_key
from stores.clients import Clients
from stores.snapshot_files import SnapshotFiles
from stores.snapshot_records import SnapshotRecord, SnapshotRecords

_LOGICAL_BITS = 18


class LitterSurvey:
    """The snapshots of one profile's cluster, all read when it is made."""

    def __init__(self, clients: Clients, profile: str) -> None:
        self._clients = clients
        self._profile = profile
        self.records = SnapshotRecords(clients.metadata(profile), clients.keys(profile))
        self.all = list(self.records.all())

    @property
    def keepers(self) -> list[SnapshotRecord]:
        """The snapshots that protect what they name: all but those that are being made or removed."""
        passing = (SnapshotStatePending, SnapshotStateDeleting)
        return [each for each in self.all if each.info.state not in passing]

    def snapshots(self, now: int, pending_ms: int) -> Iterator[Litter]:
        """Yield what is left of snapshots at a time in Unix ms; who makes one is not asked here."""
        for record in self.all:
            info, what = record.info, f"snapshot {record.info.name!r}, id {record.info.id}"
            if info.state == SnapshotStateDeleting:
                yield Litter(kind="deleting", what=what, why="left half dropped", record=record.key)
            elif info.state == SnapshotStatePending and now - _begun(info) > pending_ms:
                why = f"pending since {_time(_begun(info))}"
                yield Litter(kind="pending", what=what, why=why, record=record.key)
            elif info.state == SnapshotStateCommitted and (pins := expired_pins(info, now)):
                why = f"{len(pins)} expired pins"
                yield Litter(kind="pins", what=what, why=why, record=record.key)

    def files(self, info: SnapshotInfo) -> SnapshotFiles:
        """The files of a record."""
        s3 = self._clients.profile(self._profile).s3
        return SnapshotFiles.of(self._clients.objects(self._profile), s3.bucket, s3.root_path, info)

    def places(self, litter: Litter) -> set[str]:
        """Return the keys and folders in the profile's bucket that go with it.

        Raises ObjectMissing or ObjectMismatch for a restore whose plan is damaged: it alone tells.
        """
        if litter.kind == "pins":
            return set()
        if litter.kind == "restore":
            return self._restored(int(litter.job_id))
        files = self.files(next(each.info for each in self.all if each.key == litter.record))
        return {files.folder, files.metadata.key, seal_key(files.metadata.key)}

    def _restored(self, job_id: int) -> set[str]:
        archive = self._clients.archive(self._profile)
        places, ref = {archive.folder(job_id)}, archive.find(job_id)
        if ref:
            plan = archive.plan(ref)
            for segment in archive.all_segments(ref):
                places.update(prefixes(each.target for each in plan.objects(segment)))
        return places


def _begun(info: SnapshotInfo) -> int:
    """When its making began, Unix ms."""
    return info.pending_start_time or (info.create_ts % 2**64) >> _LOGICAL_BITS


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds")
