import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from stores.in_flight import each_in_flight


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(4) as pool:
        yield pool


def test_results_come_in_the_order_of_the_items(threads: Executor) -> None:
    first_may_end = threading.Event()

    def work(number: int) -> int:
        if number == 3:
            first_may_end.set()
        if number == 0:
            assert first_may_end.wait(5)
        return number * 2

    assert list(each_in_flight(threads, work, range(20), window=8)) == [each * 2 for each in range(20)]


def test_items_are_taken_only_as_far_as_the_window_reaches(threads: Executor) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = each_in_flight(threads, str, items(), window=5)
    assert next(results) == "0"
    assert len(taken) == 5


def test_an_error_is_raised_and_nothing_more_is_begun(threads: Executor) -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 2:
            raise ValueError("two")
        return number

    results = each_in_flight(threads, work, range(10_000), window=4)
    with pytest.raises(ValueError, match="two"):
        list(results)
    assert len(begun) < 20
