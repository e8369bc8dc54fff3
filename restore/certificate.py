"""What was restored and how it was proved: a JSON document beside the plan."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Literal, Self

from pydantic import Field

from formats.model import Model
from restore.plan import SnapshotSource, Target
from restore.request import RestoreRequest

Proof = Literal["size", "etag", "sha256", "rewritten"]


class ProvedObject(Model):
    """One object in place: how it was shown to be its source's copy. `etag` is the target's.

    `rewritten` is one that has its source's bytes but for the ids in its descriptor, which are the target's;
    it was proved by the hash of the whole, `sha256`.
    """

    key: str
    size: int
    etag: str
    sha256: str | None = None
    proof: Proof


class TaskProof(Model):
    """The proved objects of one task, in key order.

    `by_listing` has the source's ids of segments whose own manifest has a layout that is not known: all that
    lay below their folders was proved, and nothing tells whether that was everything.
    """

    objects: tuple[ProvedObject, ...]
    by_listing: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """Merkle root over (key, size, hash or ETag)."""
        return merkle(f"{each.key}\n{each.size}\n{each.sha256 or each.etag}" for each in self.objects)


class ProofSums(Model):
    """The proofs of all tasks together, as a certificate has them."""

    root: str
    proofs: dict[Proof, int]
    segments_by_listing: int

    @classmethod
    def of(cls, tasks: Iterable[TaskProof]) -> Self:
        """The sums, from proofs that are looked at one after the other."""
        roots: list[str] = []
        kinds: Counter[Proof] = Counter()
        by_listing = 0
        for task in tasks:
            roots.append(task.root)
            kinds.update(each.proof for each in task.objects)
            by_listing += len(task.by_listing)
        return cls(root=merkle(roots), proofs=dict(kinds), segments_by_listing=by_listing)


class Certificate(Model):
    """Ids are text. Times are ISO 8601, UTC. `root` is the Merkle root over the tasks' roots.

    Of `segments_by_listing` segments only what a listing found could be proved, not that it was all.
    `target_created` tells that this restore made the target collection. `plan_key` and `plan_digest`, a
    SHA-256, lead to the plan; the proofs of its `tasks` lie beside it. `retried` counts how often a task was
    begun again, after a failure or a pause.
    """

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
    segments_by_listing: int = 0
    target_created: bool = False
    started_at: str
    completed_at: str
    software: str
    warnings: tuple[str, ...] = ()
    plan_key: str = ""
    plan_digest: str = ""
    tasks: int = 0
    retried: int = 0
    versions: dict[str, str] = Field(default_factory=dict)


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
