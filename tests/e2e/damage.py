"""Snapshots that were damaged after they were taken."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from samples.snapshot import WrittenSample, manifest_key, metadata_key, snapshot_files
from tests.e2e.deployment import new_bucket

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass
class SnapshotFiles:
    """The files of a snapshot by key; `manifest` and `other` are the keys of two segments' manifests."""

    files: dict[str, bytes]
    metadata: str
    manifest: str
    other: str

    @classmethod
    def of(cls, written: WrittenSample) -> "SnapshotFiles":
        """The files as they were written."""
        manifest, other = (manifest_key(written.shape, each.segment_id) for each in written.manifests[:2])
        files = snapshot_files(written.shape, written.manifests)
        return cls(files, metadata_key(written.shape), manifest, other)

    def change(self, **values: Any) -> None:
        """Change members of the metadata's JSON; None removes one."""
        content = json.loads(self.files[self.metadata]) | values
        kept = {name: value for name, value in content.items() if value is not None}
        self.files[self.metadata] = json.dumps(kept).encode()

    def store(self, s3: "S3Client") -> str:
        """Put the files, and no object of a segment, in a bucket of their own; return the metadata's URI."""
        bucket = new_bucket(s3)
        for key, body in self.files.items():
            s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{self.metadata}"


Damage = Callable[[SnapshotFiles], object]
