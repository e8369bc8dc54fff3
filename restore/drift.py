"""What has become of a published record: as it was, changed by Milvus in the course of its work, or damaged.

Milvus goes on working with what was restored, so a record may rightly differ later. The rule is by field:

- What tells which rows a segment has and where they lie never changes while the segment lives; such a
  difference is damage. All else in its record is Milvus's own and counts as changed since.
- A log record only ever gains logs, as deletes arrive. A planned log that is gone, or has other figures, is
  damage.
- A build's record keeps its ids, files and rows. One that is marked deleted was changed since.
"""

from collections.abc import Iterable
from typing import NamedTuple

from google.protobuf.message import Message

from formats.errors import SnapshotCorrupt, UnsupportedFormat
from formats.pointer import read_pointer
from formats.proto import common_pb2, data_pb2, index_pb2
from formats.wire import decode
from restore.reproof import Verdict

_SEGMENT = (
    "ID",
    "collectionID",
    "partitionID",
    "insert_channel",
    "num_of_rows",
    "state",
    "is_importing",
    "is_invisible",
    "level",
    "storage_version",
    "start_position",
    "commit_timestamp",
)
_BUILD = (
    "collectionID",
    "partitionID",
    "segmentID",
    "num_rows",
    "indexID",
    "buildID",
    "index_version",
    "state",
    "index_file_keys",
    "index_store_path_version",
)
_V3 = 3


class Drift(NamedTuple):
    """How a record differs from the published one."""

    damaged: bool
    reason: str

    @property
    def verdict(self) -> Verdict:
        """The same as a finding says it."""
        return "damaged" if self.damaged else "changed since"


def segment_drift(planned: bytes, found: bytes, key: str) -> Drift | None:
    """How the SegmentInfo of a segment that lives differs; None when it is as it was published."""
    was, now = (decode(data_pb2.SegmentInfo, value, key) for value in (planned, found))
    fields = _differing(was, now)
    wrong = [name for name in fields if name in _SEGMENT]
    if "manifest_path" in fields and not moved_on(was, now):
        wrong.append("manifest_path")
    return _judged(wrong, fields, planned == found, was, now)


def logs_drift(planned: bytes, found: bytes, key: str) -> Drift | None:
    """How a FieldBinlog differs; None when it is as it was published."""
    was, now = (decode(data_pb2.FieldBinlog, value, key) for value in (planned, found))
    there = {log.logID: log for log in now.binlogs}
    for log in was.binlogs:
        if there.get(log.logID) != log:
            state = "has other figures" if log.logID in there else "is gone"
            return Drift(True, f"log {log.logID} of field {was.fieldID} {state}")
    if planned == found:
        return None
    more = len(there) - len(was.binlogs)
    return Drift(False, f"{more} logs came" if more > 0 else f"{_listed(_differing(was, now))} changed")


def build_drift(planned: bytes, found: bytes, key: str) -> Drift | None:
    """How a SegmentIndex differs; None when it is as it was published."""
    was, now = (decode(index_pb2.SegmentIndex, value, key) for value in (planned, found))
    if now.deleted:
        return Drift(False, "the build is marked deleted")
    fields = _differing(was, now)
    return _judged([name for name in fields if name in _BUILD], fields, planned == found, was, now)


def is_released(segment: data_pb2.SegmentInfo) -> bool:
    """True when Milvus has replaced or removed the segment, and will take away its objects."""
    return segment.state == common_pb2.Dropped or segment.compacted


def moved_on(was: data_pb2.SegmentInfo, now: data_pb2.SegmentInfo) -> bool:
    """True when a StorageV3 pointer has moved on to a later version in the same folder."""
    if was.storage_version != _V3:
        return False
    try:
        old, new = (read_pointer(each.manifest_path, each.ID) for each in (was, now))
    except (SnapshotCorrupt, UnsupportedFormat):
        return False
    return old.base_path == new.base_path and old.ver < new.ver


def _differing(was: Message, now: Message) -> list[str]:
    names = (field.name for field in was.DESCRIPTOR.fields)
    return [name for name in names if getattr(was, name) != getattr(now, name)]


def _judged(wrong: list[str], fields: list[str], same: bool, was: Message, now: Message) -> Drift | None:
    if wrong:
        name = wrong[0]
        more = f" (and {_listed(wrong[1:])})" if wrong[1:] else ""
        return Drift(True, f"{name}{more} is {_short(now, name)}, {_short(was, name)} was published")
    if same:
        return None
    return Drift(False, f"{_listed(fields) or 'a field of a newer Milvus'} changed")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _short(message: Message, name: str) -> str:
    text = " ".join(str(getattr(message, name)).split())
    return (text if len(text) <= 80 else f"{text[:77]}...") or "empty"
