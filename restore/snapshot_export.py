"""What ExportSnapshot is asked for, what its steps hand on, and what it answers."""

from typing import Annotated

from pydantic import AfterValidator, Field

from formats.location import odd_segment
from formats.model import Model
from restore.request import Name


def _to(text: str) -> str:
    bucket, _, prefix = text.removeprefix("s3://").rstrip("/").partition("/")
    if not text.startswith("s3://") or not bucket or (prefix and odd_segment(prefix)):
        raise ValueError("expected s3://bucket or s3://bucket/prefix")
    return f"s3://{bucket}/{prefix}".rstrip("/")


class ExportRequest(Model):
    """The input of ExportSnapshot. `snapshot` as for a restore; `to` is `s3://bucket[/prefix]`.

    `source` and `destination` name profiles: of the destination only the store counts, not its bucket.
    """

    snapshot: Annotated[str, Field(min_length=1)]
    to: Annotated[str, AfterValidator(_to)]
    source: Name = "default"
    destination: Name = "default"


class ExportOrder(Model):
    """A bundle that is to be made; its folder, chosen once, is nobody else's."""

    request: ExportRequest
    export_id: str

    @property
    def bucket(self) -> str:
        """Where the bundle lies."""
        return self.request.to.removeprefix("s3://").partition("/")[0]

    @property
    def root(self) -> str:
        """The bundle's root below the bucket, no slash at its end (snapshot-format.md, section 1.6)."""
        prefix = self.request.to.removeprefix("s3://").partition("/")[2]
        return f"{prefix}/exports/{self.export_id}" if prefix else f"exports/{self.export_id}"


class ExportCount(Model):
    """What is in the bundle so far, or in all; heartbeats carry it, too. Bytes as found in the source."""

    segments: int = 0
    rows: int = 0
    objects: int = 0
    objects_skipped: int = 0
    bytes: int = 0


class ExportResult(ExportCount):
    """The result of ExportSnapshot; `metadata` is the URI that a restore of the bundle takes.

    `objects_skipped` were found in place by a repeated attempt.
    """

    metadata: str
