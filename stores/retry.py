"""How a call that a store refused or whose answer was lost is repeated."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from restore.errors import StoreUnavailable
from stores.retry_metrics import count_retry
from stores.standstill import STANDSTILLS

T = TypeVar("T")

_DOUBLINGS = 20  # more would only overflow; the longest wait is reached long before


@dataclass(frozen=True, slots=True)
class Retry:
    """Exponential waits with full jitter, all in seconds.

    No new try begins later than `budget` after the first. With 30 % of calls refused, the default gives up
    on about one call in 10^9; a longer outage is left to the retries of the activity.
    """

    budget: float = 40.0
    first_wait: float = 0.1
    longest_wait: float = 5.0
    store: str = "s3"
    """Of which kind what is called is, for the count of retries."""

    def run(self, call: Callable[[], T]) -> T:
        """Return what the call returns; it is repeated while it raises StoreUnavailable.

        Raises the last StoreUnavailable when the budget, or the wait that the store asked for, allows no
        further try, or when this process stood still meanwhile; every other error at once.
        """
        begun, failures, mark = time.monotonic(), 0, STANDSTILLS.mark()
        while True:
            try:
                return call()
            except StoreUnavailable as error:
                wait = self._wait(failures, error.retry_after)
                if time.monotonic() - begun + wait > self.budget or STANDSTILLS.since(mark):
                    raise
                count_retry(self.store, error)
            failures += 1
            time.sleep(wait)

    def _wait(self, failures: int, asked: float | None) -> float:
        longest = min(self.longest_wait, self.first_wait * 2 ** min(failures, _DOUBLINGS))
        # Jitter that spreads callers apart needs no secrecy.
        return max(random.uniform(0, longest), asked or 0.0)  # noqa: S311


PATIENT = Retry()
