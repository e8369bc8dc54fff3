"""How long a call may take with all its repeats."""

import random
import threading
import time

_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 1.0


class Budget:
    """`seconds` for a call with all its repeats, of which one try takes at most `attempt`.

    Once `stop` is set there are no more pauses and so no more tries.
    """

    def __init__(self, seconds: float, attempt: float, stop: threading.Event | None = None) -> None:
        self._attempt = attempt
        self._stop = stop or threading.Event()
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

    @property
    def over(self) -> bool:
        """True when there is no time for another try."""
        return self.left == 0 or self._stop.is_set()

    def pause(self) -> bool:
        """Wait a jittered moment, longer each time; False when there is no time for another try then."""
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**self._pauses)
        self._pauses += 1
        pause = random.uniform(longest / 2, longest)  # noqa: S311 - jitter, not a secret
        return pause < self.left and not self._stop.wait(pause)
