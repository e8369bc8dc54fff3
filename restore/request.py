"""What a restore is asked to do (architecture, section 4)."""

import operator
from typing import Annotated, Literal

from pydantic import Field

from formats.model import Model

Verify = Literal["size", "etag", "full"]
OnFailure = Literal["rollback", "keep"]
Name = Annotated[str, Field(min_length=1, max_length=255)]


class Concurrency(Model):
    """How many CopySegment children run at once: the argument of `set_concurrency`."""

    value: Annotated[int, Field(ge=1, le=256, strict=True)]


class RestoreRequest(Model):
    """The input of RestoreSnapshot; only `snapshot` and `target` are required.

    `snapshot` is the metadata JSON's URI, its key in the source store, or
    `[database/]collection/snapshot-name`. `source` and `destination` name profiles.
    `concurrency` is the number of CopySegment children at once. `rewrite_descriptors` gives insert and
    delta logs the target's ids, as clusters older than Milvus 2.4 need it; off, it is in no stored request.
    """

    snapshot: Annotated[str, Field(min_length=1)]
    target: Name
    database: Name = "default"
    source: Name = "default"
    destination: Name = "default"
    partitions: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    concurrency: Annotated[int, Field(ge=1, le=256, strict=True)] = 16
    verify: Verify = "etag"
    on_failure: OnFailure = "rollback"
    # Left out while off, so that a worker of an earlier version goes on taking what it knows.
    rewrite_descriptors: Annotated[bool, Field(strict=True, exclude_if=operator.not_)] = False
