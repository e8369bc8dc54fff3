"""The fault table: which fault, where, how often, and what came of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from tests.faults.records import Record

_WORDS: Final[Mapping[str, str]] = {
    "cut": "connection cut before the request took effect",
    "lost": "connection cut after it: the answer is lost",
    "busy": "1 to 6 requests answered 503 SlowDown, or UNAVAILABLE",
    "slow": "1 to 3 requests held up for 1.5 s",
    "kill": "worker killed (SIGKILL)",
    "term": "worker asked to end (SIGTERM)",
    "freeze": "worker frozen for 2 to 22 s (SIGSTOP, SIGCONT)",
    "temporal": "Temporal killed (SIGKILL), back after 1 to 6 s",
    "etcd": "etcd killed (SIGKILL), back after 1 to 6 s",
    "s3": "S3 server killed (SIGKILL), back after 1 to 6 s",
    "servers": "all three killed, one after the other, back after 1 to 6 s",
    "denied": "403 AccessDenied, or PERMISSION_DENIED, from one moment on",
    "cancel": "restore cancelled",
    "storm": "30 % of all requests refused, 5 % of all answers lost",
    "stale": "listings up to a second old",
}
_PLACES: Final[Mapping[str, Sequence[str]]] = {
    "reading": ("list", "read", "look"),
    "planning": ("pin", "store plan", "count ids"),
    "reserving and job records": ("reserve", "keep records"),
    "copying": ("copy",),
    "proving": ("store proof",),
    "staging records": ("stage",),
    "publishing": ("begin to publish", "publish", "certify", "complete"),
    "rolling back": ("fence", "unstage", "remove objects", "release", "remove plan"),
}
_HEAD: Final = (
    "| fault | where | runs | ended | copied again | bytes | orphans | wrong |\n"
    "|---|---|---:|---|---:|---:|---:|---:|\n"
)


def render(records: Sequence[Record]) -> str:
    """The table in Markdown; a run whose fault was not met does not count."""
    singles = [each for each in records if not each.drawn and each.met]
    mixed = [each for each in records if each.drawn]
    rows = [
        _row(words, place, [each for each in singles if each.kind == kind and each.step in steps])
        for kind, words in _WORDS.items()
        for place, steps in _places(kind)
    ]
    if mixed:
        rows.append(_row("1 to 6 of all these at once, drawn by seed", "anywhere", mixed))
    rows.append(_row("**all**", "", [*singles, *mixed]))
    return _HEAD + "".join(row for row in rows if row)


def _places(kind: str) -> Iterator[tuple[str, Sequence[str]]]:
    if kind in ("storm", "stale"):
        yield "throughout", ("copy",)
    else:
        yield from _PLACES.items()


def _row(fault: str, place: str, records: Sequence[Record]) -> str:
    if not records:
        return ""
    cells: list[object] = [
        fault,
        place,
        len(records),
        _endings(records),
        sum(each.again for each in records),
        f"{sum(each.bytes_again for each in records):,}",
        sum(each.orphans for each in records),
        sum(each.wrong > 0 for each in records),
    ]
    return f"| {' | '.join(map(str, cells))} |\n"


def _endings(records: Sequence[Record]) -> str:
    """How many worlds were *after*, and how many *before*."""
    ends = Counter(_ending(each.ending) for each in records)
    return ", ".join(f"{count} {ending}" for ending, count in sorted(ends.items()))


def _ending(ending: str) -> str:
    if ending.endswith("; then completed"):
        return "*after*, taken up from what was kept"
    if ending == "completed":
        return "*after*"
    return "*before*, cancelled" if ending == "canceled" else f"*before*, {ending.split(': ')[1]}"
