"""Many calls at once whose results come in order, while only some are held."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from typing import TypeVar

A = TypeVar("A")
R = TypeVar("R")

WINDOW = 512
"""Calls that are under way or whose result waits to be taken: enough to hide the slow ones among them."""


def each_in_flight(
    threads: Executor, work: Callable[[A], R], items: Iterable[A], window: int = WINDOW
) -> Iterator[R]:
    """Yield the results in the order of the items, which are taken as they are needed.

    After an error, or when nobody asks any more, nothing further is begun, and what runs has ended.
    """
    waiting: deque[Future[R]] = deque()
    try:
        for item in items:
            waiting.append(threads.submit(work, item))
            if len(waiting) >= window:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        wait([each for each in waiting if not each.cancel()])
