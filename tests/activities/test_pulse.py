import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from temporalio.testing import ActivityEnvironment

from activities import pulse
from activities.pulse import Pulse, run_blocking
from restore.errors import Fenced
from restore.steps import CopyReport

PATIENCE = 30.0


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def test_the_answer_is_the_works(threads: Executor) -> None:
    assert await ActivityEnvironment().run(run_blocking, threads, lambda _: 7) == 7


async def test_an_error_is_the_works(threads: Executor) -> None:
    def work(_: Pulse) -> None:
        raise Fenced("the reservation is gone")

    with pytest.raises(Fenced, match="the reservation is gone"):
        await ActivityEnvironment().run(run_blocking, threads, work)


async def test_it_beats_with_the_position_while_the_work_goes_on(
    threads: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "BEAT_SECONDS", 0.01)
    position = CopyReport(index=1, objects=2, bytes=3)
    told: list[object] = []
    heard = threading.Event()

    def work(own: Pulse) -> str:
        own.position = position
        assert heard.wait(PATIENCE)
        return "done"

    def listen(*details: object) -> None:
        told.extend(details)
        if details:
            heard.set()

    environment = ActivityEnvironment()
    environment.on_heartbeat = listen
    assert await environment.run(run_blocking, threads, work) == "done"
    assert told[-1] == position


async def test_it_beats_at_once(threads: Executor) -> None:
    """A cancel that came before the activity began arrives with the answer to the first heartbeat."""
    beats: list[tuple[object, ...]] = []
    environment = ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(details)
    await environment.run(run_blocking, threads, lambda _: None)
    assert beats == [()]


async def test_a_cancel_is_told_to_the_work_and_its_end_is_waited_for(threads: Executor) -> None:
    begun, ended = threading.Event(), threading.Event()

    def work(own: Pulse) -> str:
        begun.set()
        while own.goes_on():
            time.sleep(0.001)  # between two looks at the condition
        ended.set()
        own.check()
        return "went on"

    environment = ActivityEnvironment()
    running = asyncio.ensure_future(environment.run(run_blocking, threads, work))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    environment.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()


async def test_a_cancelled_activity_stays_cancelled_when_its_work_ends_normally(threads: Executor) -> None:
    begun, gate = threading.Event(), threading.Event()

    def work(_: Pulse) -> str:
        begun.set()
        assert gate.wait(PATIENCE)
        return "done"

    environment = ActivityEnvironment()
    running = asyncio.ensure_future(environment.run(run_blocking, threads, work))
    assert await asyncio.to_thread(begun.wait, PATIENCE)
    environment.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_work_may_go_on_until_it_is_told_otherwise() -> None:
    own = Pulse()
    own.check()
    assert own.goes_on()
    own.stop()
    assert not own.goes_on()
    with pytest.raises(asyncio.CancelledError):
        own.check()
