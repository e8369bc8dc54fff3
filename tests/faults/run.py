"""One faulted restore from its start to the verdict on the world that it leaves."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError, RPCStatusCode

from starter.stack import Stack
from tests.faults.fault import Fault
from tests.faults.ground import Ground, prepared
from tests.faults.hand import Hand
from tests.faults.outages import Outages
from tests.faults.scenario import Scenario
from tests.faults.verdict import Verdict, judge

PATIENCE: Final = 420.0
"""Seconds after which a restore counts as stuck."""

TEND: Final = 0.05
"""Seconds between two looks at the workers."""

_AWAY: Final = (
    RPCStatusCode.UNAVAILABLE,
    RPCStatusCode.UNKNOWN,
    RPCStatusCode.CANCELLED,
    RPCStatusCode.DEADLINE_EXCEEDED,
)
"""What a client hears when Temporal is not there."""


@dataclass(frozen=True)
class Outcome:
    """How a run ended; `again` and `bytes_again` count what reached its target more than once."""

    scenario: Scenario
    ending: str
    wrong: tuple[str, ...]
    orphans: tuple[str, ...]
    struck: frozenset[Fault]
    copied: int
    again: int
    bytes_again: int
    seconds: float
    log: str = ""

    @property
    def ok(self) -> bool:
        return not self.wrong and not self.orphans

    def __str__(self) -> str:
        state = "ok" if self.ok else "WRONG"
        lines = [
            f"{state} {self.scenario}",
            f"   {self.ending} in {self.seconds:.1f} s, {self.again} copied again",
        ]
        missed = [fault for fault in self.scenario.faults if fault not in self.struck]
        lines += [f"   not met: {'; '.join(map(str, missed))}"] if missed else []
        lines += [f"   {each}" for each in (*self.wrong, *(f"orphan {each}" for each in self.orphans))][:20]
        again = f"   again: {self.scenario.command}"
        return "\n".join(lines if self.ok else [*lines, again, self.log[-6_000:]])


async def run(scenario: Scenario, stack: Stack, client: Client) -> Outcome:
    """Have it happen in a fresh world on these servers, which are all there afterwards, and judge."""
    begun, servers = time.monotonic(), stack.settings()
    with TemporaryDirectory(prefix="milvus-restore-faults-") as folder:
        hand = Hand(Path(folder), Outages(stack))
        with prepared(servers, Path(folder), scenario, hand) as ground:
            ending = await restore(ground, hand, client)
            wrong = _unexpected(ground, ending)
            if ending.startswith("failed") and scenario.on_failure == "keep":
                ground.gate.close()
                ending = f"{ending}; then {await restore(ground, hand, client)}"
                wrong = [] if ending.endswith("completed") else [f"a kept restore {ending}"]
            verdict = await _judged(ground, hand, servers, completed=ending.endswith("completed"))
            return _outcome(ground, ending, wrong, verdict, time.monotonic() - begun)


async def restore(ground: Ground, hand: Hand, client: Client) -> str:
    """Start it, keep workers at it, and return how it ended."""
    hand.mend()
    hand.tend()
    handle: WorkflowHandle[Any, Any] = await client.start_workflow(
        "RestoreSnapshot", ground.request, id=f"restore/default/{ground.target.name}", task_queue=ground.queue
    )
    hand.lead(handle)
    result = asyncio.ensure_future(_result(handle))
    deadline = time.monotonic() + PATIENCE
    while not result.done() and time.monotonic() < deadline:
        await asyncio.wait([result], timeout=TEND)
        hand.tend()
    if not result.done():
        result.cancel()
        await handle.terminate()
        return "stuck"
    return _ending(result)


async def _result(handle: WorkflowHandle[Any, Any]) -> Any:
    """Wait for the restore's result, also while Temporal is away."""
    while True:
        try:
            return await handle.result()
        except RPCError as away:
            if away.status not in _AWAY:
                raise
            await asyncio.sleep(TEND)


def _ending(result: "asyncio.Future[Any]") -> str:
    error = result.exception()
    if error is None:
        return "completed"
    assert isinstance(error, WorkflowFailureError), error
    if isinstance(error.cause, CancelledError):
        return "canceled"
    kind = error.cause.type if isinstance(error.cause, ApplicationError) else type(error.cause).__name__
    return f"failed: {kind}: {error.cause}"


async def _judged(ground: Ground, hand: Hand, servers: Mapping[str, str], *, completed: bool) -> Verdict:
    """Judge once nobody works any more, those that were frozen included."""
    ground.gate.close()
    hand.rest()
    await asyncio.to_thread(ground.crew.dismiss)
    return judge(ground, servers, completed=completed)


def _unexpected(ground: Ground, ending: str) -> list[str]:
    """What the faults that were met do not explain."""
    kinds = {fault.kind for fault in ground.gate.struck}
    fine = ending == "completed" and "denied" not in kinds
    fine = fine or (ending == "canceled" and "cancel" in kinds)
    fine = fine or (ending == "completed" and "cancel" in kinds)
    fine = fine or (ending.startswith("failed: AccessDenied") and "denied" in kinds)
    return [] if fine else [f"nothing explains this end: {ending}"]


def _outcome(ground: Ground, ending: str, wrong: list[str], verdict: Verdict, seconds: float) -> Outcome:
    return Outcome(
        ground.scenario,
        ending,
        (*wrong, *verdict.wrong),
        tuple(verdict.orphans),
        frozenset(ground.gate.struck),
        ground.copies.made,
        ground.copies.again,
        ground.copies.bytes_again,
        seconds,
        ground.crew.log,
    )
