"""The command line as the tests run it, and what they ask of the world."""

import asyncio
import os
import re
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from typer.testing import CliRunner

from starter.__main__ import app

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str


@dataclass
class CommandLine:
    """The command line as a user has it, led to the tests' server and to a task queue of this test's own."""

    address: str
    queue: str
    client: Client
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        ours = {"TEMPORAL_ADDRESS": self.address, "RESTORE_TASK_QUEUE": self.queue}
        return ours | {"TEMPORAL_UI_ADDRESS": "http://ui:8080", "RESTORE_CONFIG": ""} | self.more

    async def run(self, *words: str) -> Ended:
        """Run a command inside this process."""
        result = await asyncio.to_thread(CliRunner().invoke, app, words, env=self.environment)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    async def spawn(self, *words: str, terminal: int | None = None) -> asyncio.subprocess.Process:
        """Run a command as a process of its own, its stderr on a terminal when one is given."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "starter", *words),
            cwd=ROOT,
            env=os.environ | self.environment | {"TERM": "xterm", "COLUMNS": "100"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE if terminal is None else terminal,
        )

    async def outcome(self, process: asyncio.subprocess.Process) -> Ended:
        """Wait for a process's end."""
        out, err = await asyncio.wait_for(process.communicate(), 30)
        return Ended(process.returncode or 0, out.decode(), (err or b"").decode())

    def restore(self, target: str) -> WorkflowHandle[object, object]:
        return self.client.get_workflow_handle(f"restore/default/{target}")

    async def status(self, target: str) -> WorkflowExecutionStatus | None:
        return (await self.restore(target).describe()).status


async def eventually(holds: Callable[[], Awaitable[bool]], what: str, seconds: float = 15.0) -> None:
    """Return once the condition holds."""
    deadline = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.02)


async def phase_of(cli: CommandLine, target: str) -> str:
    progress = await cli.restore(target).query("progress")
    assert isinstance(progress, dict)
    return str(progress["phase"])


async def copies(cli: CommandLine, target: str) -> bool:
    try:
        return await phase_of(cli, target) == "copying"
    except RPCError:  # not started yet
        return False


def control_characters(text: str) -> list[str]:
    return re.findall(r"[^\n\x20-\x7e -￿]", text)
