"""A small world for restores: knobs say how it goes, sets say what is there."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from temporalio import activity

from restore.errors import Fenced, RestoreError
from restore.garbage import Litter
from restore.reservation import State
from restore.steps import Completion, RollbackRequest

COLLECTION = "449"

SEGMENTS, ROWS, OBJECTS, BYTES = 2, 50, 10, 1_000
"""What each task holds."""

BEAT = 0.05
"""Seconds between the heartbeats of a step that stands still; a cancel arrives with their answer."""


class World:
    """One target and its store.

    A step is named by its activity, `copy_objects`, or for one task only, `copy_objects/2`. Steps in `held`
    stand still, beating, until released; steps in `errors` fail. Of the steps that are cancelled, those in
    `deaf` end normally all the same, and those in `slow` end only when they are released.

    `seen` are all steps that were begun, `standing` those that stand still now, `failed` and `cancelled`
    those that were. `begun` lists the tasks in the order in which their copying began.
    """

    def __init__(self) -> None:
        self.tasks = 2
        self.reports = False
        self.held: set[str] = set()
        self.deaf: set[str] = set()
        self.slow: set[str] = set()
        self.errors: dict[str, RestoreError] = {}
        self.seen: set[str] = set()
        self.cancelled: set[str] = set()
        self.standing: set[str] = set()
        self.failed: set[str] = set()
        self.job = 2**40
        self.absent = False
        self.made: set[str] = set()
        self.plans: set[str] = set()
        self.owner: State | None = None
        self.epoch = 0
        self.objects: dict[int, int] = {}
        self.records: set[int] = set()
        self.indexes: set[tuple[int, str]] = set()
        self.completed: set[int] = set()
        self.published: set[int] = set()
        self.completion: Completion | None = None
        self.rollbacks: list[RollbackRequest] = []
        self.snapshots: dict[str, str] = {}
        self.files: set[str] = set()
        self.pinnable = True
        self.pins: set[str] = set()
        self.pausable = False
        self.tickets = 0
        self.pauses: set[str] = set()
        self.litter: list[Litter] = []
        self.working: set[int] = set()
        self.begun: list[int] = []
        self.most_working = 0
        self.active: list[int] = []
        self.active_at_fence: list[int] = []
        self._changed = asyncio.Event()

    @property
    def remains(self) -> list[str]:
        """What of a restore that is not published is in the world, by its kind."""
        kinds = {
            "plan": self.plans,
            "reservation": self.owner,
            "objects": self.objects,
            "records": self.records,
            "indexes": self.indexes,
            "tasks": self.completed,
            "target": self.made,
            "snapshots": self.snapshots,
            "files": self.files,
            "pins": self.pins,
            "pauses": self.pauses,
        }
        return [kind for kind, there in kinds.items() if there]

    def release(self, *steps: str) -> None:
        """Let steps go on; without names, all of them."""
        self.held -= set(steps) or set(self.held)
        self._change()

    async def until(self, holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Return once the condition holds; it is looked at after each change of this world."""
        try:
            async with asyncio.timeout(seconds):
                while not holds():
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {seconds:g} s: {what}; standing {self.standing}") from None

    async def reached(self, *steps: str) -> None:
        """Return once all these steps stand still."""
        await self.until(lambda: self.standing >= set(steps), f"{steps} are reached")

    async def step(self, name: str, index: int | None = None) -> None:
        """A step of an activity: it stands still while held, then fails if it is to."""
        own = name if index is None else f"{name}/{index}"
        self.seen |= {name, own}
        try:
            await self._stand({name, own})
        except asyncio.CancelledError:
            self.cancelled |= {name, own}
            if not self.slow.isdisjoint({name, own}):
                await self._stand({name, own})
            if self.deaf.isdisjoint({name, own}):
                raise
        for each in (name, own):
            if each in self.errors:
                self.failed.add(each)
                self._change()
                raise self.errors[each]

    async def _stand(self, names: set[str]) -> None:
        """Stand still while held; what is cancelled leaves as it would leave a store."""
        try:
            while names & self.held:
                self.standing |= names
                self._change()
                activity.heartbeat()
                await self._change_or_beat()
        finally:
            self.standing -= names
            self._change()

    async def _change_or_beat(self) -> None:
        try:
            async with asyncio.timeout(BEAT):
                await self._changed.wait()
        except TimeoutError:
            return

    @contextmanager
    def work(self, index: int) -> Iterator[None]:
        """A task is active during its steps, and works from the first to the last or the one that fails."""
        self.active.append(index)
        self.working.add(index)
        self.most_working = max(self.most_working, len(self.working))
        try:
            yield
        except BaseException:
            self.working.discard(index)
            raise
        finally:
            self.active.remove(index)
            self._change()

    def own(self, state: State) -> None:
        """A change of the reservation raises its epoch."""
        self.owner = state
        self.epoch += 1

    def require(self, epoch: int) -> None:
        """Every write is guarded by the epoch it was given."""
        if epoch != self.epoch:
            raise Fenced(f"the reservation is at epoch {self.epoch}, this restore's is {epoch}")

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
