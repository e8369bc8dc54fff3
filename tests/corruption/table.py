"""The corruption matrix in Markdown: one row for each kind of object, one column for each damage."""

from collections import Counter
from collections.abc import Sequence
from typing import Final, get_args

from tests.corruption.cell import RESTORED, Moment, Outcome
from tests.corruption.damage import DAMAGES
from tests.corruption.victims import Kind

_TITLES: Final[dict[tuple[Moment, bool], str]] = {
    ("before", False): "Damaged before the restore, no seal",
    ("between", False): "Damaged between plan and copy, no seal",
    ("before", True): "Damaged before the restore, sealed",
    ("between", True): "Damaged between plan and copy, sealed",
}


def render(outcomes: Sequence[Outcome]) -> str:
    """Every table for which there are outcomes."""
    tables = [
        _table(title, [each for each in outcomes if (each.cell.moment, each.cell.sealed) == which])
        for which, title in _TITLES.items()
    ]
    return "\n".join(table for table in tables if table)


def _table(title: str, outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return ""
    head = f"### {title}\n\n| object | {' | '.join(DAMAGES)} |\n|---|{'---|' * len(DAMAGES)}\n"
    kinds = [kind for kind in get_args(Kind) if any(each.cell.kind == kind for each in outcomes)]
    return head + "".join(_row(kind, outcomes) for kind in kinds)


def _row(kind: Kind, outcomes: Sequence[Outcome]) -> str:
    texts = (
        _text([each for each in outcomes if (each.cell.kind, each.cell.damage) == (kind, name)])
        for name in DAMAGES
    )
    return f"| {kind} | {' | '.join(texts)} |\n"


def _text(outcomes: Sequence[Outcome]) -> str:
    ends = Counter(f"*{RESTORED}*" if each.ending == RESTORED else each.ending for each in outcomes)
    wrong = "**WRONG** " if any(each.wrong for each in outcomes) else ""
    if len(ends) <= 1:
        return wrong + ("".join(ends) or "-")
    return wrong + ", ".join(f"{count} {end}" for end, count in ends.most_common())
