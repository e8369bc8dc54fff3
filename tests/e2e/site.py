"""A deployment with a worker and the command lines that lead to it."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.e2e.commands import Commands
from tests.e2e.deployment import Deployment, deployed
from tests.e2e.image import Image
from tests.e2e.worker_process import WorkerProcess, working


@dataclass(frozen=True)
class Target:
    """An empty collection of a test's own, and the world before anything was restored into it."""

    name: str
    collection: int
    before: Image


@dataclass(frozen=True)
class Site:
    """What a test of a whole restore needs."""

    deployment: Deployment
    commands: Commands
    worker: WorkerProcess
    environment: Mapping[str, str]

    def target(self, shape: SampleShape, database: str = "default") -> Target:
        """A new empty collection."""
        name = new_name()
        collection = self.deployment.target(shape, name, database)
        return Target(name, collection, self.deployment.image())

    def assert_proved(self, written: WrittenSample, target: Target) -> None:
        """Every object and record is as the snapshot asks for, and nothing else was touched."""
        proof = self.deployment.prove(written, target.before, target.collection)
        assert proof.differences == []
        assert proof.ok


def new_name() -> str:
    """A collection's name that no other test uses."""
    return f"orders_{secrets.token_hex(6)}"


def new_queue() -> str:
    return f"q-{secrets.token_hex(6)}"


@contextmanager
def opened(servers: Mapping[str, str], folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Site]:
    """A site in these servers, its worker led by the environment, with `more` above it."""
    queue = new_queue()
    with deployed(servers) as deployment:
        environment = {**deployment.settings, "RESTORE_TASK_QUEUE": queue, **(more or {})}
        commands = Commands(servers["TEMPORAL_ADDRESS"], queue, folder)
        with working(environment, folder / "worker.log") as worker:
            yield Site(deployment, commands, worker, environment)
