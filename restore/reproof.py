"""What proving a restored collection again has found."""

from math import ceil
from random import Random
from typing import Literal, Self

from formats.errors import InvalidRequest
from formats.model import Model

What = Literal["object", "record", "segment", "proof", "plan", "root"]
Verdict = Literal["damaged", "changed since"]
Means = Literal["sha256", "source", "etag", "nothing"]
"""What the content of an object was compared with: the recorded hash, its source, its ETag."""


class Finding(Model):
    """Something that is not as it was certified; `changed since` is Milvus's own doing and no damage."""

    what: What
    name: str
    verdict: Verdict
    reason: str


class Sample(Model):
    """A choice of objects by chance that the same seed makes again."""

    percent: float
    seed: int

    @classmethod
    def parse(cls, text: str, seed: int) -> Self:
        """Return the sample of so many percent, written like `2%`; InvalidRequest for anything else."""
        number, sign, rest = text.strip().partition("%")
        try:
            percent = float(number)
        except ValueError:
            percent = 0.0
        if not sign or rest or not 0 < percent <= 100:
            raise InvalidRequest(
                f"sample: expected a share above 0% and up to 100%, such as 2%, found {text!r}"
            )
        return cls(percent=percent, seed=seed)

    def chosen(self, total: int) -> frozenset[int]:
        """The numbers chosen out of 0 to total - 1, at least one where there is one."""
        # For choosing what to look at, predictable is what is wanted.
        return frozenset(Random(self.seed).sample(range(total), ceil(total * self.percent / 100)))  # noqa: S311


class Reproof(Model):
    """The whole result. Ids are text; `bytes_read` is 0 unless contents were read.

    `contents` counts the objects read by what they were compared with.
    """

    certificate: str
    job_id: str
    database: str
    collection: str
    collection_id: str
    completed_at: str
    sample: Sample | None
    objects: int
    records: int
    bytes_read: int
    contents: dict[Means, int]
    findings: tuple[Finding, ...]

    @property
    def damaged(self) -> int:
        """How many findings are damage."""
        return sum(each.verdict == "damaged" for each in self.findings)
