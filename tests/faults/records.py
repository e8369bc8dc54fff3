"""What came of a run, short enough to be kept in a file of JSON lines."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from tests.faults.run import Outcome


@dataclass(frozen=True)
class Record:
    """A run's row; `met` has the faults that were met, `ending` is one word or a failure."""

    command: str
    drawn: bool
    kind: str
    step: str
    met: int
    faults: int
    ending: str
    wrong: int
    orphans: int
    again: int
    bytes_again: int
    seconds: float

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        """The row of an outcome."""
        scenario = outcome.scenario
        return cls(
            command=scenario.command,
            drawn=scenario.drawn,
            kind=scenario.faults[0].kind,
            step=scenario.faults[0].step,
            met=len(outcome.struck),
            faults=len(scenario.faults),
            ending=outcome.ending,
            wrong=len(outcome.wrong),
            orphans=len(outcome.orphans),
            again=outcome.again,
            bytes_again=outcome.bytes_again,
            seconds=round(outcome.seconds, 1),
        )


def append(file: Path, record: Record) -> None:
    with file.open("a") as lines:
        lines.write(json.dumps(asdict(record)) + "\n")


def read(file: Path) -> Sequence[Record]:
    """All rows of a file, none when it is absent."""
    if not file.exists():
        return []
    return [Record(**json.loads(line)) for line in file.read_text().splitlines()]
