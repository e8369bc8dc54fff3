"""Who stood still begins nothing more of the attempt: it may have been given to another worker."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from temporalio.testing import ActivityEnvironment

from activities.copy_run import CopyRun, Item
from activities.pulse import Pulse, run_blocking
from restore.errors import StoreUnavailable
from restore.plan import PlannedObject
from stores.ports import ObjectStat
from stores.standstill import LONGEST
from tests.stores.clock import Clock, jumping

OBJECTS = 20
NAPS_AT = 3


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return jumping(monkeypatch)


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def items() -> list[Item]:
    names = [f"o{number}" for number in range(OBJECTS)]
    return [
        (PlannedObject(kind="insert", source=name, target=name, size=None), ObjectStat(name, 10, "e"))
        for name in names
    ]


async def test_copying_ends_and_fails_the_attempt(clock: Clock, threads: Executor) -> None:
    copied: list[str] = []

    def copy(planned: PlannedObject, *_: object) -> bool:
        copied.append(planned.target)
        if len(copied) == NAPS_AT:
            clock.jump(LONGEST + 1)
        return True

    run = CopyRun(items(), copy)
    with pytest.raises(StoreUnavailable, match="stood still"):
        await run.run(threads, 1, lambda: asyncio.sleep(0))
    assert len(copied) == NAPS_AT
    assert run.halted


async def test_blocking_work_ends_at_its_next_look(clock: Clock, threads: Executor) -> None:
    done: list[str] = []

    def work(pulse: Pulse) -> None:
        pulse.check()
        done.append("before")
        clock.jump(LONGEST + 1)
        pulse.check()
        done.append("after")

    with pytest.raises(StoreUnavailable, match="may have been taken over"):
        await ActivityEnvironment().run(run_blocking, threads, work)
    assert done == ["before"]
