"""Waiting for a state of the world."""

import time
from collections.abc import Callable
from typing import Final

POLL: Final = 0.02
"""Seconds between two looks at a condition."""


def eventually(holds: Callable[[], object], what: str, seconds: float = 30.0) -> None:
    """Return once the condition holds; fail at the deadline, saying what was waited for."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(POLL)
