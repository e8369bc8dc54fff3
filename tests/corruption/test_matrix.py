"""A share of the corruption matrix; `make corruption` has all of it."""

from typing import get_args

import pytest

from tests.corruption.cell import RESTORED, Cell, cells, happen
from tests.corruption.damage import DAMAGES
from tests.corruption.ground import Bench
from tests.corruption.victims import Kind

KINDS, NAMES = get_args(Kind), list(DAMAGES)
STEPS = {"before": 0, "between": 2}


def share(*, sealed: bool) -> list[Cell]:
    """Of each kind one damage at each moment, so that each damage is tried with several kinds.

    With a seal only what it alone can tell: before the restore.
    """
    return [
        cell
        for cell in cells(sealed=sealed)
        if (cell.moment == "before" or not sealed)
        and (KINDS.index(cell.kind) + NAMES.index(cell.damage)) % len(NAMES) == STEPS[cell.moment] + sealed
        and not cell.flip
    ]


@pytest.mark.parametrize("cell", share(sealed=False), ids=str)
async def test_a_damaged_object_is_refused_by_name_or_restored_as_it_is(matrix: Bench, cell: Cell) -> None:
    outcome = await happen(matrix, cell)

    assert not outcome.wrong, str(outcome)


@pytest.mark.parametrize("cell", share(sealed=True), ids=str)
async def test_with_a_seal_every_damaged_object_is_refused_by_name(matrix: Bench, cell: Cell) -> None:
    outcome = await happen(matrix, cell)

    assert outcome.ending != RESTORED
    assert not outcome.wrong, str(outcome)
