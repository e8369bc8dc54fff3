"""The process's clock, which a test can make jump as it does while a process is suspended."""

import time

import pytest

from stores.standstill import STANDSTILLS


class Clock:
    """Real time and what it jumped."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def jump(self, seconds: float) -> None:
        self._ahead += seconds


def jumping(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock by which standstills are noticed, until the test ends."""
    clock = Clock()
    monkeypatch.setattr(STANDSTILLS, "clock", clock)
    return clock
