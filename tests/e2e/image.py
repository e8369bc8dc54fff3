"""All that a deployment's bucket and etcd hold at one moment, to be compared with another moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from formats.proto.data_pb2 import CopySegmentJob, CopySegmentJobFailed

ID_COUNTER: Final = "milvus-restore/id-counter"
JOB: Final = "datacoord-meta/copy-segment-job/"


@dataclass(frozen=True)
class Image:
    """Objects as key to size and ETag, unfinished uploads by key, records as key to value."""

    objects: Mapping[str, str]
    uploads: frozenset[str]
    records: Mapping[str, bytes]

    def changes(self, after: "Image") -> set[str]:
        """Return every key whose object, upload or record appeared, vanished or changed."""
        objects = {key for key, _ in self.objects.items() ^ after.objects.items()}
        records = {key for key, _ in self.records.items() ^ after.records.items()}
        return objects | records | (self.uploads ^ after.uploads)


def assert_untouched(before: Image, after: Image, *, counter: bool = False) -> None:
    """Nothing was left behind; `counter` where manifests were read, which takes the job its ids."""
    changed = before.changes(after)
    assert changed == {key for key in changed if counter and key.endswith(ID_COUNTER)}


def assert_rolled_back(before: Image, after: Image) -> CopySegmentJob:
    """Nothing was left behind but a counter that went on and the failed job's record, which is returned."""
    changed = {key for key in before.changes(after) if not key.endswith(ID_COUNTER)}
    assert len(changed) == 1, changed
    key = changed.pop()
    assert JOB in key
    job = CopySegmentJob.FromString(after.records[key])
    assert job.state == CopySegmentJobFailed
    return job
