"""One cell of the corruption matrix: an object is damaged, a restore is tried, and the world is looked at."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal, get_args

from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from restore.plan import PlanRef
from restore.progress import RestoreResult
from samples.proof import prove
from tests.corruption import damage
from tests.corruption.damage import DAMAGES, FLIPS
from tests.corruption.ground import SHAPE, SOURCE, Bench, once_planned
from tests.corruption.victims import STRUCTURED, Kind, Victim
from tests.e2e.deployment import Deployment, listed
from tests.e2e.image import ID_COUNTER, JOB, Image
from tests.e2e.site import new_name

Moment = Literal["before", "between"]
MOMENTS: Final[tuple[Moment, ...]] = ("before", "between")
"""Before the restore is started, or after its plan is stored and before anything is copied."""

RESTORED: Final = "restored as it is"
_SIZED: Final = ("zeroed", "flipped", "swapped")
_UNTOLD: Final[Mapping[Kind, tuple[damage.Name, ...]]] = {
    "metadata JSON": ("flipped",),
    "segment manifest": ("flipped",),
    "insert log": _SIZED,
    "delta log": _SIZED,
    "stats log": _SIZED,
    "BM25 log": _SIZED,
    "vector index": _SIZED,
    "scalar index": _SIZED,
    "text index": _SIZED,
    "JSON index": _SIZED,
    "StorageV3 manifest": ("flipped", "swapped"),
    "StorageV3 file": ("truncated", "grown", *_SIZED),
    "large object": ("truncated", "grown", *_SIZED),
}
"""What nothing but a seal can tell when it happened before the restore."""

PROMISED: Final = ("SnapshotCorrupt", "ObjectMissing", "ObjectMismatch")


@dataclass(frozen=True)
class Cell:
    """What is damaged, how, and when; `flip` is the number of the flipped byte where several are tried."""

    kind: Kind
    damage: damage.Name
    moment: Moment
    sealed: bool
    flip: int | None = None

    def __str__(self) -> str:
        flip = "" if self.flip is None else f" at byte {self.flip} of {FLIPS}"
        return f"{self.kind} {self.damage}{flip} {self.moment}{' with a seal' if self.sealed else ''}"


@dataclass(frozen=True)
class Outcome:
    """A failure's type or RESTORED; `wrong` is what may not be."""

    cell: Cell
    ending: str
    message: str
    wrong: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{'WRONG' if self.wrong else 'ok'} {self.cell}: {self.ending} {self.message}", *self.wrong]
        return "\n   ".join(lines)


def cells(*, sealed: bool) -> Iterator[Cell]:
    """The whole matrix; a plan has no chunk before the restore."""
    for kind, name, moment in product(get_args(Kind), DAMAGES, MOMENTS):
        if kind == "plan chunk" and (moment == "before" or sealed):
            continue
        several = name == "flipped" and kind in STRUCTURED and moment == "before" and not sealed
        for flip in range(FLIPS) if several else (None,):
            yield Cell(kind, name, moment, sealed, flip)


async def happen(bench: Bench, cell: Cell) -> Outcome:
    """Have it happen, say how it ended, and leave the bench as it was."""
    target = new_name()
    collection = bench.ground.home.target(SHAPE, target)
    with bench.mended(), _damaged(bench, cell) as victims:
        if cell.sealed:
            bench.put_seal()
        before = bench.ground.home.image()
        kind, message = await _restore(bench, target)
        if kind == RESTORED:
            wrong = tuple(_unnoticed(cell)) + tuple(_unfaithful(bench, before, collection))
        else:
            wrong = tuple(_untold(cell, kind, message, victims[0])) + tuple(_left(bench, before))
        return Outcome(cell, kind, message, wrong)


@contextmanager
def _damaged(bench: Bench, cell: Cell) -> Iterator[list[Victim]]:
    """Yields the victims that were or will be damaged."""
    if cell.moment == "before":
        victim = bench.victims[cell.kind]
        _spoil(bench, bench.source, victim, cell)
        yield [victim]
        return
    found: list[Victim] = []

    def spoil(ref: PlanRef) -> None:
        at = bench.ground.home if cell.kind == "plan chunk" else bench.source
        found.append(_chunk(bench, ref) if cell.kind == "plan chunk" else bench.victims[cell.kind])
        _spoil(bench, at, found[0], cell)

    with once_planned(bench.ground.clients, spoil):
        yield found


def _chunk(bench: Bench, ref: PlanRef) -> Victim:
    folder = f"{bench.ground.clients.archive('default').folder(ref.job_id)}plan/"
    keys = sorted(key for key in listed(bench.ground.home.s3, ref.bucket) if key.startswith(folder))
    return Victim(*keys[:2])


def _spoil(bench: Bench, at: Deployment, victim: Victim, cell: Cell) -> None:
    body, sibling = bench.body(victim.key, at), bench.body(victim.sibling, at)
    bodies = DAMAGES[cell.damage](body, sibling)
    if cell.flip is not None:
        bodies = damage.flipped(body, cell.flip), sibling
    assert bodies[0] != body, f"no damage: {cell}"
    bench.put(victim.key, bodies[0], at)
    if bodies[1] != sibling:
        bench.put(victim.sibling, bodies[1], at)


async def _restore(bench: Bench, target: str) -> tuple[str, str]:
    ground = bench.ground
    request = {"snapshot": bench.written.uri, "target": target, "source": SOURCE}
    try:
        await ground.client.execute_workflow(
            "RestoreSnapshot",
            request,
            id=f"restore/default/{target}",
            task_queue=ground.queue,
            result_type=RestoreResult,
        )
    except WorkflowFailureError as failure:
        cause = failure.cause
        kind = cause.type if isinstance(cause, ApplicationError) else None
        return kind or type(cause).__name__, str(cause)
    return RESTORED, ""


def _unnoticed(cell: Cell) -> Iterator[str]:
    if cell.sealed or cell.moment == "between" or cell.damage not in _UNTOLD.get(cell.kind, ()):
        yield "the damage can be told, and was not"


def _unfaithful(bench: Bench, before: Image, collection: int) -> Iterator[str]:
    """How what was restored differs from the source, damage included."""
    home = bench.ground.home
    proof = prove(
        home.s3,
        home.scan,
        bench.as_it_is(),
        {key: value for key, value in before.records.items() if key.startswith(f"{home.meta}/")},
        collection_id=collection,
        bucket=home.bucket,
        root=bench.ground.root,
        meta=home.meta,
        source=bench.source.s3,
    )
    yield from map(str, proof.differences)
    yield from () if proof.ok else ("the restore is not proved",)


def _untold(cell: Cell, kind: str, message: str, victim: Victim) -> Iterator[str]:
    """What the failure should say and does not."""
    gone = (cell.kind, cell.damage, kind) == ("metadata JSON", "deleted", "SnapshotNotFound")
    # A byte of a file with a structure may make it another, sound, file: of a newer version, for instance.
    if kind not in PROMISED and not gone and cell.flip is None:
        yield f"it failed with {kind}"
    if cell.flip is None and not any(_names(message, key) for key in (victim.key, victim.sibling)):
        yield "the object is not named"


def _names(message: str, key: str) -> bool:
    """True when a message has the whole key, or a folder and all of the key that follows it."""
    folders = [key[:at] for at, letter in enumerate(key) if letter == "/"]
    return key in message or any(
        f"/{folder}, " in message and key[len(folder) + 1 :] in message for folder in folders
    )


def _left(bench: Bench, before: Image) -> Iterator[str]:
    """What is not as it was in the target's deployment, but for the job's record and the id counter."""
    changed = {key for key in before.changes(bench.ground.home.image()) if not key.endswith(ID_COUNTER)}
    jobs = {key for key in changed if JOB in key}
    yield from sorted(f"{key} is left or changed" for key in changed - jobs)
    yield from () if len(jobs) <= 1 else (f"{len(jobs)} jobs are left",)
