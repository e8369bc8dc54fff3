"""A faulted restore: what is restored, from where, how, and what goes wrong. Drawn from a seed."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from restore.request import OnFailure, Verify
from samples.shape import SampleShape, StorageVersion
from tests.faults.fault import NETWORK, OF_PROCESSES, OF_SERVERS, THROUGHOUT, Fault, Kind
from tests.faults.steps import UNDOING, Step

Place = Literal["same bucket", "other bucket", "other store"]
"""Where the snapshot lies, seen from the target. From another store, objects are streamed."""

WRITES: Final[tuple[Step, ...]] = (
    "store plan",
    "count ids",
    "reserve",
    "keep records",
    "copy",
    "store proof",
    "stage",
    "begin to publish",
    "publish",
    "certify",
    "complete",
)
"""All that a restore writes, in its order."""

READS: Final[tuple[Step, ...]] = ("list", "read", "look")

REVOCABLE: Final[tuple[Step, ...]] = ("copy", "stage", "keep records", "store proof")
"""Where a refusal for good comes early enough to be rolled back, and leaves a rollback what it needs."""

_OFTEN: Final[dict[Step, int]] = {
    "copy": 60,
    "list": 25,
    "read": 6,
    "look": 30,
    "stage": 4,
    "keep records": 3,
}
"""Steps that come many times even in a small restore, and about how often."""

_WEIGHTS: Final[dict[Kind, int]] = {
    "cut": 3,
    "lost": 4,
    "busy": 2,
    "slow": 1,
    "denied": 2,
    "kill": 2,
    "term": 1,
    "freeze": 2,
    "storm": 2,
    "stale": 2,
}
"""How often each is drawn, beside what `_outages` adds."""

OUTAGES_FROM: Final = 1_001
"""The first seed whose scenario may kill servers."""

_VERSIONS: Final[Sequence[tuple[StorageVersion, ...]]] = ((0,), (0,), (2,), (3,), (0, 2, 3))


@dataclass(frozen=True)
class Scenario:
    """One run of the bench."""

    seed: int
    shape: SampleShape
    place: Place = "same bucket"
    verify: Verify = "etag"
    concurrency: int = 4
    on_failure: OnFailure = "rollback"
    faults: tuple[Fault, ...] = ()
    drawn: bool = True

    @property
    def command(self) -> str:
        """What has it happen again."""
        one = "" if self.drawn else f" --one {self.faults[0].kind} '{self.faults[0].step}'"
        return f"python -m tests.faults --seed {self.seed}{one}"

    def __str__(self) -> str:
        faults = "; ".join(map(str, self.faults)) or "no fault"
        keep = ", keep" if self.on_failure == "keep" else ""
        return (
            f"seed {self.seed}: {self.shape.all_segments} segments, {self.place}, "
            f"verify {self.verify}{keep}: {faults}"
        )

    def has(self, *kinds: Kind) -> bool:
        """True when a fault of these kinds is in it."""
        return any(each.kind in kinds for each in self.faults)


def drawn(seed: int) -> Scenario:
    """The scenario of a seed, always the same."""
    dice = random.Random(seed)
    shape = _shape(dice)
    quiet = Scenario(
        seed,
        shape,
        place=dice.choice(("same bucket", "same bucket", "other bucket", "other store")),
        verify=dice.choice(("size", "etag", "etag", "full")),
        concurrency=dice.choice((1, 2, 16)),
        on_failure=dice.choice(("rollback", "rollback", "rollback", "keep")),
    )
    faults = [_fault(dice) for _ in range(dice.choice((1, 1, 2, 2, 3)))]
    if dice.random() < 0.25 or any(each.step in UNDOING for each in faults):
        faults.append(_somewhere(dice, Fault("cancel", late=dice.random() < 0.5), WRITES[:7]))
    return replace(quiet, faults=_sane([*_outages(seed, faults), *faults]))


def single(kind: Kind, step: Step, seed: int) -> Scenario:
    """A scenario with one fault; where its step is a rollback's, a cancel makes it come to that."""
    dice = random.Random(f"{kind} {step} {seed}")
    number = 1 if step in UNDOING else _number(dice, step)
    late = kind in (*OF_PROCESSES, *OF_SERVERS, "cancel") and dice.random() < 0.5
    faults = [Fault(kind, step, number, late, _amount(dice, kind))]
    if step in UNDOING:
        faults.append(Fault("cancel", "copy", dice.randint(5, 40)))
    quiet = Scenario(seed, SampleShape(segments=2, partitions=2, megabytes=0.06, dim=8), drawn=False)
    return replace(
        quiet, faults=tuple(faults), place=dice.choice(("same bucket", "other bucket", "other store"))
    )


def matrix(each: int) -> Iterator[Scenario]:
    """Every fault at every step where it can happen, so many times."""
    for seed in range(1, each + 1):
        for kind in (*NETWORK, *OF_PROCESSES, *OF_SERVERS):
            steps = (*READS, *WRITES, *UNDOING) if kind in NETWORK else (*WRITES, *UNDOING)
            yield from (single(kind, step, seed) for step in steps)
        yield from (single("denied", step, seed) for step in REVOCABLE)
        yield from (single("cancel", step, seed) for step in WRITES)
        yield from (single(kind, "copy", seed) for kind in THROUGHOUT)


def _shape(dice: random.Random) -> SampleShape:
    segments = dice.choice((1, 2, 2, 3, 4, 4, 5, 12))
    return SampleShape(
        segments=segments,
        l0_segments=dice.choice((0, 0, 1)),
        partitions=dice.randint(1, 3),
        shards=dice.randint(1, 2),
        megabytes=0.03 * segments,
        dim=8,
        storage_versions=dice.choice(_VERSIONS),
        full_text=dice.random() < 0.3,
    )


def _fault(dice: random.Random) -> Fault:
    kind: Kind = dice.choices(*zip(*_WEIGHTS.items(), strict=True))[0]
    fault = Fault(kind, late=dice.random() < 0.5, amount=_amount(dice, kind))
    if kind == "denied":
        return _somewhere(dice, fault, REVOCABLE)
    steps = (*WRITES, *WRITES, *UNDOING, *READS) if kind in NETWORK else (*WRITES, *WRITES, *UNDOING)
    return _somewhere(dice, fault, steps)


def _outages(seed: int, others: Sequence[Fault]) -> Iterator[Fault]:
    """Killed servers in every other scenario; their dice are their own, so that older seeds mean the same."""
    dice = random.Random(f"servers {seed}")
    if seed < OUTAGES_FROM or dice.random() < 0.5:
        return
    undoing = UNDOING if any(each.kind == "cancel" for each in others) else ()
    for _ in range(dice.choice((1, 1, 2, 3))):
        kind = dice.choice(tuple(OF_SERVERS))
        fault = Fault(kind, late=dice.random() < 0.5, amount=_amount(dice, kind))
        yield _somewhere(dice, fault, (*WRITES, *undoing))


def _somewhere(dice: random.Random, fault: Fault, steps: Sequence[Step]) -> Fault:
    step = dice.choice(steps)
    return replace(fault, step=step, number=_number(dice, step))


def _number(dice: random.Random, step: Step) -> int:
    return dice.randint(1, _OFTEN.get(step, 1))


def _amount(dice: random.Random, kind: Kind) -> int:
    if kind in OF_SERVERS:
        return dice.choice((1, 2, 6))
    return {"busy": dice.randint(1, 6), "slow": dice.randint(1, 3), "freeze": dice.choice((2, 8, 22))}.get(
        kind, 1
    )


def _sane(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """At most one fault that ends or stops a worker: each costs the time until its silence is noticed."""
    dying = [each for each in faults if each.kind in ("kill", "freeze")]
    kept = [each for each in faults if each not in dying[1:]]
    return tuple(dict.fromkeys(kept))
