"""Commands that work on the stores themselves, without a worker: blocking work that Ctrl-C ends."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from activities.pulse import Pulse
from restore.settings import Settings
from starter.exit_codes import ExitCode, Stop
from stores.clients import Clients

T = TypeVar("T")


async def in_thread(work: Callable[[Pulse], T]) -> T:
    """Return what the work returns; on Ctrl-C it is told, awaited, and Stop is raised."""
    pulse = Pulse()
    running = asyncio.get_running_loop().run_in_executor(None, work, pulse)
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        pulse.stop()
        await asyncio.wait([running])
        if not running.cancelled():
            running.exception()  # marks it as retrieved
        raise Stop(ExitCode.DETACHED, "\ninterrupted; nothing was changed") from None


@contextmanager
def opened_clients() -> Iterator[Clients]:
    """The stores of the settings in force, closed afterwards; InvalidRequest for wrong settings."""
    clients = Clients(Settings.load())
    try:
        yield clients
    finally:
        clients.close()
