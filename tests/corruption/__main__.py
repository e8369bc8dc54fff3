"""`python -m tests.corruption`: the corruption matrix on servers of its own; `--table` prints it."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from temporalio.client import Client

from starter.stack import Stack
from tests.corruption.cell import Outcome, cells, happen
from tests.corruption.ground import bench
from tests.corruption.table import render
from workflows.plugin import RestorePlugin


def main() -> int:
    """Return 0 when every case ended as it may: refused by name, or restored as it was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.corruption", description=__doc__)
    parser.add_argument("--table", action="store_true", help="print the tables of docs/reliability.md")
    asked = parser.parse_args()
    # A refused activity is logged with its traceback, of which there would be hundreds.
    logging.disable(logging.CRITICAL)
    with TemporaryDirectory(prefix="milvus-restore-corruption-") as folder:
        stack = Stack(Path(folder), bound=True)
        try:
            stack.up()
            outcomes = asyncio.run(_all(stack.settings()))
        finally:
            stack.down()
    if asked.table:
        sys.stdout.write(render(outcomes))
    bad = [str(each) for each in outcomes if each.wrong]
    sys.stderr.write(f"{len(outcomes)} cases, {len(bad)} wrong\n" + "".join(f"{each}\n" for each in bad))
    return 1 if bad else 0


async def _all(servers: dict[str, str]) -> Sequence[Outcome]:
    client = await Client.connect(servers["TEMPORAL_ADDRESS"], plugins=[RestorePlugin()])
    outcomes: list[Outcome] = []
    with TemporaryDirectory(prefix="milvus-restore-corruption-") as folder:
        async with bench(client, servers, Path(folder)) as ready:
            for cell in (*cells(sealed=False), *cells(sealed=True)):
                outcomes.append(await happen(ready, cell))
                sys.stderr.write(f"[{len(outcomes)}] {outcomes[-1]}\n")
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
