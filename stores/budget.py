"""How long a call may take with all its repeats."""

import random
import threading
import time

_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 1.0


class Budget:
    """`seconds` for a call with all its repeats, of which one try takes at most `attempt`."""

    def __init__(self, seconds: float, attempt: float) -> None:
        self.seconds = seconds
        self._attempt = attempt
        self._end = time.monotonic() + seconds
        self._pauses = 0

    @property
    def left(self) -> float:
        """Seconds until the end, 0 after it."""
        return max(0.0, self._end - time.monotonic())

    @property
    def timeout(self) -> float:
        """Seconds that a try may take from now."""
        return min(self._attempt, self.left)

    def pause(self, stop: threading.Event) -> bool:
        """Wait a jittered moment, longer each time; False when the budget ends first or `stop` is set."""
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._pauses)
        self._pauses += 1
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret
        return pause < self.left and not stop.wait(pause)
