"""Copying from one queue, with copies that are only pretended."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from activities.copy_run import Copy, CopyRun, Item
from restore.errors import ObjectMissing
from restore.plan import PlannedObject
from stores.ports import ObjectStat

LANES = 4
PATIENCE = 30.0


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(LANES) as pool:
        yield pool


def items(number: int) -> list[Item]:
    return [
        (
            PlannedObject(kind="insert", source=f"s{each}", target=f"t{each}", size=None),
            ObjectStat(f"s{each}", 10, "e"),
        )
        for each in range(number)
    ]


async def run(copies: CopyRun, threads: Executor, lanes: int = LANES) -> int:
    """Run to the end; the number of beats."""
    beats = 0

    async def beat() -> None:
        nonlocal beats
        beats += 1

    await copies.run(threads, lanes, beat)
    return beats


class Standing:
    """Copies that stand still until they are released or told to stop; `most` stood at once."""

    def __init__(self, expected: int) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.told_to_stop: list[str] = []
        self.most = 0
        self._standing = 0
        self._lock = threading.Lock()
        self._all = threading.Barrier(expected + 1)
        self._gate = threading.Event()

    def copy(self, planned: PlannedObject, _: ObjectStat, go_on: Callable[[], bool]) -> bool:
        with self._lock:
            self.begun.append(planned.source)
            self._standing += 1
            self.most = max(self.most, self._standing)
        if not self._gate.is_set():
            self.arrive()
        while go_on() and not self._gate.wait(0.001):
            pass
        with self._lock:
            self._standing -= 1
            (self.ended if go_on() else self.told_to_stop).append(planned.source)
        return go_on()

    def arrive(self) -> None:
        """Return when as many as expected have begun."""
        self._all.wait(PATIENCE)

    async def all_begun(self) -> None:
        await asyncio.to_thread(self._all.wait, PATIENCE)

    def release(self) -> None:
        self._gate.set()


def done(_: PlannedObject, __: ObjectStat, ___: Callable[[], bool]) -> bool:
    return True


def failing_at(source: str, error: BaseException) -> Copy:
    def copy(planned: PlannedObject, _: ObjectStat, __: Callable[[], bool]) -> bool:
        if planned.source == source:
            raise error
        return True

    return copy


async def test_everything_is_copied_once_and_counted(threads: Executor) -> None:
    seen: list[str] = []

    def copy(planned: PlannedObject, _: ObjectStat, __: Callable[[], bool]) -> bool:
        seen.append(planned.source)
        return True

    copies = CopyRun(items(100), copy)
    assert await run(copies, threads) >= 1
    assert sorted(seen) == sorted(f"s{number}" for number in range(100))
    assert (copies.objects, copies.bytes) == (100, 1000)


async def test_nothing_to_copy_ends_at_once(threads: Executor) -> None:
    copies = CopyRun([], done)
    assert await run(copies, threads) == 0
    assert (copies.objects, copies.bytes) == (0, 0)


@pytest.mark.parametrize(("lanes", "most"), [(1, 1), (3, 3), (LANES, LANES)])
async def test_no_more_copies_are_in_flight_than_lanes(threads: Executor, lanes: int, most: int) -> None:
    standing = Standing(lanes)
    running = asyncio.ensure_future(run(CopyRun(items(20), standing.copy), threads, lanes))
    await standing.all_begun()
    standing.release()
    await running
    assert standing.most == most
    assert len(standing.ended) == 20


async def test_a_copy_that_was_stopped_half_way_does_not_count(threads: Executor) -> None:
    copies = CopyRun(items(10), lambda planned, stat, go_on: planned.source != "s3")
    await run(copies, threads)
    assert (copies.objects, copies.bytes) == (9, 90)


async def test_the_first_error_ends_the_run(threads: Executor) -> None:
    copies = CopyRun(items(10_000), failing_at("s5", ObjectMissing("s5 is gone")))
    with pytest.raises(ObjectMissing, match="s5 is gone"):
        await run(copies, threads)
    assert 5 <= copies.objects < 9_999


async def test_after_an_error_what_is_in_flight_is_told_to_stop_and_waited_for(threads: Executor) -> None:
    standing = Standing(LANES)

    def copy(planned: PlannedObject, stat: ObjectStat, go_on: Callable[[], bool]) -> bool:
        if planned.source == "s0":
            standing.arrive()
            raise ObjectMissing("s0 is gone")
        return standing.copy(planned, stat, go_on)

    running = asyncio.ensure_future(run(CopyRun(items(20), copy), threads))
    await standing.all_begun()
    with pytest.raises(ObjectMissing):
        await running
    assert sorted(standing.told_to_stop) == sorted(standing.begun)
    assert len(standing.begun) == LANES - 1


async def test_a_cancel_starts_nothing_more_and_waits_for_what_is_in_flight(threads: Executor) -> None:
    standing = Standing(LANES)
    copies = CopyRun(items(20), standing.copy)
    running = asyncio.ensure_future(run(copies, threads))
    await standing.all_begun()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert sorted(standing.told_to_stop) == sorted(standing.begun)
    assert len(standing.begun) == LANES
    assert copies.objects == 0
