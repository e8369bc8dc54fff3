"""Record the histories of this release: `python -m tests.histories.record`. See README.md beside it."""

import asyncio
import logging
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tests.histories.paths import PATHS
from tests.histories.stored import FOLDER, save
from tests.workflows.impatient import impatient_server
from tests.workflows.replaying import family
from tests.workflows.trial import Trial

ROOT = Path(__file__).parents[2]
RECORDED = ("workflows", "activities", "restore", "formats")
"""What decides a history; it must be as committed."""


def refusal(release: str) -> str | None:
    """Why the code that is checked out must not be recorded as this release, or None."""
    changed = _git("status", "--porcelain", "--", *RECORDED)
    if changed:
        return f"these are not committed, and histories are recorded from committed code only:\n{changed}"
    tagged = _git("tag", "--list", f"v{release}")
    if tagged and tagged not in _git("tag", "--points-at", "HEAD").split():
        return f"{release} is released already; check out v{release}, or raise the version first"
    return None


async def record(folder: Path) -> None:
    """Write one file for each path."""
    async with impatient_server(identity="recorder") as client:
        for name, path in PATHS.items():
            trial = Trial(client, cache=1000, target="orders")
            async with trial.worker():
                await path(trial)
            save(folder / f"{name}.json.gz", [each async for each in family(client, trial.started)])
            print(f"recorded {name}")


def main() -> int:
    """Exit 0 when recorded, 2 when this must not be."""
    release = version("milvus-restore")
    reason = refusal(release)
    if reason:
        print(reason, file=sys.stderr)
        return 2
    logging.disable(logging.WARNING)  # the activities that are to fail say so
    folder = FOLDER / release
    folder.mkdir(exist_ok=True)
    asyncio.run(record(folder))
    (folder / "COMMIT").write_text(_git("rev-parse", "HEAD") + "\n")
    return 0


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
