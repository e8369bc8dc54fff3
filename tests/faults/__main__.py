"""`python -m tests.faults`: faulted restores on servers of its own; `--table` prints what came of them."""

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client

from starter.stack import Stack
from tests.faults.records import Record, append, read
from tests.faults.run import run
from tests.faults.scenario import Scenario, drawn, matrix, single
from tests.faults.table import render
from workflows.plugin import RestorePlugin


def main() -> int:
    """Return 0 when every world was as before or as after."""
    asked = _asked()
    known = {each.command for each in read(asked.results)} if asked.results else set()
    scenarios = [each for each in _scenarios(asked) if each.command not in known]
    records = asyncio.run(_runs(scenarios, asked.results)) if scenarios else []
    if asked.table:
        sys.stdout.write(render(read(asked.results) if asked.results else records))
    bad = [each.command for each in records if each.wrong or each.orphans]
    sys.stderr.write(f"{len(records)} runs, {len(bad)} wrong\n" + "".join(f"  {each}\n" for each in bad))
    return 1 if bad else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="have this one happen again")
    parser.add_argument("--one", nargs=2, metavar=("FAULT", "STEP"), help="with --seed: of the table's")
    parser.add_argument("--runs", type=int, default=0, help="how many random restores")
    parser.add_argument("--first", type=int, default=1, help="the first of their seeds")
    parser.add_argument("--each", type=int, default=0, help="have each fault happen at each place so often")
    parser.add_argument(
        "--results", type=Path, help="a file that keeps what came of each run; what is in it is not run again"
    )
    parser.add_argument(
        "--table", action="store_true", help="print the fault table, of the whole file if given"
    )
    return parser.parse_args()


def _scenarios(asked: argparse.Namespace) -> Iterator[Scenario]:
    if asked.seed is not None:
        yield single(asked.one[0], asked.one[1], asked.seed) if asked.one else drawn(asked.seed)
    yield from matrix(asked.each or int(asked.table and not asked.runs and not asked.results))
    yield from map(drawn, range(asked.first, asked.first + asked.runs))


async def _runs(scenarios: list[Scenario], results: Path | None) -> list[Record]:
    """Have them happen one after the other, on servers of their own, and tell of each."""
    records: list[Record] = []
    with _servers() as stack:
        client = await Client.connect(stack.settings()["TEMPORAL_ADDRESS"], plugins=[RestorePlugin()])
        begun = time.monotonic()
        for number, scenario in enumerate(scenarios, 1):
            outcome = await run(scenario, stack, client)
            records.append(Record.of(outcome))
            if results:
                append(results, records[-1])
            minutes = (time.monotonic() - begun) / 60
            sys.stderr.write(f"[{number}/{len(scenarios)}, {minutes:.1f} min] {outcome}\n")
    return records


@contextmanager
def _servers() -> Iterator[Stack]:
    with TemporaryDirectory(prefix="milvus-restore-faults-") as folder:
        stack = Stack(Path(folder), bound=True)
        try:
            stack.up()
            yield stack
        finally:
            stack.down()


if __name__ == "__main__":
    sys.exit(main())
