"""The demo's worker and commands, as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

_WORKER_STOPS = 20
"""Seconds that the worker has to stop after SIGTERM: its own grace, and some."""


@contextmanager
def worker(settings: Mapping[str, str]) -> Iterator[None]:
    """A worker with these settings, stopped afterwards; its log is shown when a command fails."""
    with TemporaryDirectory(prefix="milvus-restore-worker-") as folder:
        log = Path(folder) / "worker.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "worker"], env=os.environ | settings, stdout=output, stderr=output
            )
        try:
            yield
        except typer.Exit:
            sys.stderr.write(log.read_text())
            raise
        finally:
            process.terminate()
            process.wait(_WORKER_STOPS)


def run(settings: Mapping[str, str], *words: str) -> None:
    """Run `milvus-restore` with these words and settings, its output ours; typer.Exit with its exit code."""
    command = [sys.executable, "-m", "starter", *words]
    done = subprocess.run(command, env=os.environ | settings, check=False)  # noqa: S603 - our own
    if done.returncode:
        raise typer.Exit(done.returncode)
