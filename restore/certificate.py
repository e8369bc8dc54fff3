"""What was restored and how it was proved: a JSON document beside the plan."""

import hashlib
from collections.abc import Iterable
from typing import Literal

from formats.model import Model
from restore.plan import SnapshotSource, Target
from restore.request import RestoreRequest

Proof = Literal["size", "etag", "sha256"]


class ProvedObject(Model):
    """One object in place: how it was shown to be its source's copy. `etag` is the target's."""

    key: str
    size: int
    etag: str
    sha256: str | None = None
    proof: Proof


class TaskProof(Model):
    """The proved objects of one task, in key order."""

    objects: tuple[ProvedObject, ...]

    @property
    def root(self) -> str:
        """Merkle root over (key, size, hash or ETag)."""
        return merkle(f"{each.key}\n{each.size}\n{each.sha256 or each.etag}" for each in self.objects)


class Certificate(Model):
    """Ids are text. Times are ISO 8601, UTC. `root` is the Merkle root over the tasks' roots."""

    version: Literal[1] = 1
    job_id: str
    request: RestoreRequest
    snapshot: SnapshotSource
    target: Target
    segments: int
    rows: int
    objects: int
    objects_skipped: int
    bytes: int
    root: str
    proofs: dict[Proof, int]
    started_at: str
    completed_at: str
    software: str
    warnings: tuple[str, ...] = ()


def merkle(leaves: Iterable[str]) -> str:
    """The hex root of a binary SHA-256 tree; an odd node is carried up. No leaf: the hash of nothing."""
    level = [hashlib.sha256(b"\0" + leaf.encode()).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        # The prefixes keep a leaf from passing as a node.
        level = [hashlib.sha256(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0].hex()
