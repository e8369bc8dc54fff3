"""Where every request of a restore to its stores passes, is named and counted, and may come to harm."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final, Protocol, TypeVar

from tests.faults.fault import THROUGHOUT, Fault, Kind
from tests.faults.steps import Server, Step

T = TypeVar("T")

REFUSED: Final = 0.30
LOST: Final = 0.05
HELD_UP: Final = 1.5
"""Seconds that a slow request waits."""


class Cut(Exception):
    """The connection breaks; nothing is answered."""


class Busy(Exception):
    """The store asks to be left alone for a moment."""


class Denied(Exception):
    """The store refuses for good."""


class Deeds(Protocol):
    """What a fault does to others than the request itself."""

    def kill(self) -> None: ...

    def term(self) -> None: ...

    def freeze(self, seconds: float) -> None: ...

    def cancel(self) -> None: ...

    def strike(self, servers: Iterable[Server], seconds: float) -> None: ...


class Gate:
    """Lets requests through, but for the faults; `struck` has those that were met."""

    def __init__(self, faults: Iterable[Fault], deeds: Deeds, seed: int) -> None:
        self.faults = tuple(faults)
        self.struck: set[Fault] = set()
        self.counts: Counter[Step] = Counter()
        self._deeds = deeds
        self._dice = random.Random(seed)
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._stormy = any(each.kind == "storm" for each in faults)

    def let(self, step: Step, act: Callable[[], T]) -> T:
        """Do what was asked and return the answer; Cut, Busy or Denied where a fault wants it."""
        met = self._met(step)
        roll = self._roll()
        for fault in met:
            self._before(fault)
        if roll < REFUSED:
            raise Busy
        answer = act()
        lost = [fault for fault in met if self._after(fault)]
        if lost or roll < REFUSED + LOST:
            raise Cut
        return answer

    def meet(self, kind: Kind) -> None:
        """Take note that a fault without a moment was met."""
        with self._lock:
            self.struck.update(each for each in self.faults if each.kind == kind)

    def close(self) -> None:
        """Hold nothing up and do nothing more: what comes now comes from workers that end."""
        self._closed.set()

    def _met(self, step: Step) -> list[Fault]:
        with self._lock:
            self.counts[step] += 1
            number = self.counts[step]
            met = [] if self._closed.is_set() else [f for f in self.faults if _touches(f, step, number)]
            self.struck.update(met)
            return met

    def _roll(self) -> float:
        if not self._stormy or self._closed.is_set():
            return 1.0
        self.meet("storm")
        with self._lock:
            return self._dice.random()

    def _before(self, fault: Fault) -> None:
        if fault.kind == "cut":
            raise Cut
        if fault.kind == "busy":
            raise Busy
        if fault.kind == "denied":
            raise Denied
        if fault.kind == "slow":
            self._closed.wait(HELD_UP)
        if not fault.late:
            self._do(fault)
            if fault.cuts:
                raise Cut  # the request never left the machine, or never arrived

    def _after(self, fault: Fault) -> bool:
        """Return whether the answer is lost."""
        if fault.late:
            self._do(fault)
        return fault.kind == "lost" or fault.cuts

    def _do(self, fault: Fault) -> None:
        if fault.kind == "kill":
            self._deeds.kill()
        elif fault.kind == "term":
            self._deeds.term()
        elif fault.kind == "freeze":
            self._deeds.freeze(fault.amount)
        elif fault.kind == "cancel":
            self._deeds.cancel()
        elif fault.servers:
            self._deeds.strike(fault.servers, fault.amount)


def _touches(fault: Fault, step: Step, number: int) -> bool:
    return fault.kind not in THROUGHOUT and fault.covers(step, number)
