import time

import pytest

from restore.errors import AccessDenied, StoreUnavailable
from stores.retry import Retry


class Flaky:
    """Fails the given number of times, then answers."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls, self._failures, self._error = 0, failures, error

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self._failures:
            raise self._error
        return "answer"


def test_passing_trouble_is_tried_again() -> None:
    call = Flaky(5, StoreUnavailable("busy"))
    assert Retry(budget=10, first_wait=0.001, longest_wait=0.002).run(call) == "answer"
    assert call.calls == 6


def test_what_a_retry_cannot_help_is_raised_at_once() -> None:
    call = Flaky(1, AccessDenied("no"))
    with pytest.raises(AccessDenied):
        Retry().run(call)
    assert call.calls == 1


def test_the_budget_bounds_time_and_the_last_error_is_raised() -> None:
    call = Flaky(10**9, StoreUnavailable("busy"))
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable, match="busy"):
        Retry(budget=0.2, first_wait=0.01, longest_wait=0.02).run(call)
    assert time.monotonic() - begun < 1
    assert call.calls > 3


def test_a_wait_that_the_store_asks_for_is_kept() -> None:
    busy = StoreUnavailable("busy")
    busy.retry_after = 0.2
    begun = time.monotonic()
    assert Retry(budget=5, first_wait=0.001).run(Flaky(1, busy)) == "answer"
    assert time.monotonic() - begun >= 0.2


def test_a_wait_beyond_the_budget_is_not_begun() -> None:
    busy = StoreUnavailable("busy")
    busy.retry_after = 60
    call = Flaky(1, busy)
    with pytest.raises(StoreUnavailable):
        Retry(budget=30).run(call)
    assert call.calls == 1


def test_waits_grow_to_the_longest_and_are_jittered() -> None:
    retry = Retry(first_wait=0.1, longest_wait=5.0)
    for failures, longest in [(0, 0.1), (3, 0.8), (50, 5.0), (10_000, 5.0)]:
        waits = [retry._wait(failures, None) for _ in range(300)]
        assert max(waits) <= longest
        assert max(waits) > 0.8 * longest
        assert min(waits) < 0.2 * longest
