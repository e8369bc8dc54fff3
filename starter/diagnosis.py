"""What the doctor has found, for scripts and for people."""

from collections.abc import Iterator

from formats.model import Model
from starter.checks import Check
from starter.orphans import Remains, Removed
from starter.tables import aligned
from stores.debris import Debris
from stores.strays import Strays
from workflows.details import size


class Leftovers(Model):
    """What restores to one profile have left; `expired` are job records whose time is over."""

    profile: str
    remains: tuple[Remains, ...]
    strays: tuple[Strays, ...]
    expired: int
    removed: tuple[Removed, ...] = ()

    @property
    def orphans(self) -> list[Remains]:
        """Those that a rollback takes away, and those that can only be finished."""
        return [each for each in self.remains if each.standing in ("orphan", "unfinished")]

    @property
    def waiting(self) -> bool:
        """True while there is something that should not be there."""
        gone = {each.job_id for each in self.removed if each.result or each.finished}
        sick = ("orphan", "unfinished", "stuck")
        left = [each for each in self.remains if each.standing in sick and each.job_id not in gone]
        return bool(left or self.strays)


class Diagnosis(Model):
    """What `-o json` prints. `leftovers` is null unless asked for and possible to look for."""

    checks: tuple[Check, ...]
    leftovers: Leftovers | None = None

    @property
    def healthy(self) -> bool:
        """True when there is nothing to do."""
        sick = any(each.state == "problem" for each in self.checks)
        return not sick and not (self.leftovers and self.leftovers.waiting)


def as_text(diagnosis: Diagnosis) -> str:
    """Tables of findings, each with what to do."""
    checks = [(each.state, each.what, each.found, each.advice) for each in diagnosis.checks]
    head = ("", "what", "found", "what to do")
    lines = [aligned([head, *checks], indent="")]
    if diagnosis.leftovers:
        lines += ["", *_left(diagnosis.leftovers)]
    return "\n".join(lines)


def _left(left: Leftovers) -> Iterator[str]:
    if not left.remains and not left.strays:
        yield f"no restore has left anything at profile '{left.profile}'"
    if left.remains:
        head = ("job", "target", "is", "left behind", "why", "what to do")
        yield aligned([head, *map(_row, left.remains)], indent="")
    for stray in left.strays:
        yield (
            f"collection {stray.collection_id} has {len(stray.segments):,} hidden segments of no restore on "
            f"record, such as {stray.segments[0]}; drop the collection, which is of no use with them"
        )
    if left.expired:
        yield f"{left.expired:,} job records are past their time; the next restore removes them"
    yield from map(_removal, left.removed)


def _row(each: Remains) -> tuple[str, ...]:
    target = each.target or (f"collection {each.collection_id}" if each.collection_id else "-")
    return (each.job_id, target, each.standing, _debris(each.debris), each.reason, each.advice)


def _debris(debris: Debris | None) -> str:
    if debris is None:
        return "-"
    amounts = [
        (debris.objects, f"objects ({size(debris.bytes)})"),
        (debris.uploads, "unfinished uploads"),
        (debris.staged, "hidden segments"),
        (debris.records, "records"),
        (debris.tasks, "task records"),
        (debris.stored, "plan objects"),
    ]
    known = [f"{count:,} {unit}" for count, unit in amounts if count]
    unreadable = ["a plan that cannot be read"] if debris.unreadable else []
    return ", ".join([*known, *unreadable]) or "nothing"


def _removal(removed: Removed) -> str:
    if removed.finished:
        return f"restore {removed.job_id} is finished: {removed.finished.segments:,} segments are published"
    if removed.result is None:
        return f"restore {removed.job_id} is still there: {removed.failure}"
    target = ", and the target that it had made" if removed.result.target == "removed" else ""
    return (
        f"restore {removed.job_id} is rolled back: {removed.result.records:,} records and "
        f"{removed.result.objects:,} objects were removed{target}"
    )
