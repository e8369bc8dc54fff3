from collections.abc import Callable

import pytest

from restore.errors import StoreUnavailable
from stores.ports import Location
from stores.retry import Retry
from stores.s3 import S3ObjectStore
from stores.standstill import LONGEST, Standstills
from tests.stores.clock import Clock, jumping
from tests.stores.faulty_s3 import Answer, FaultyS3, Request, Server, error
from tests.stores.object_worlds import S3World

LONG = LONGEST + 1


def test_time_that_passes_is_no_standstill() -> None:
    clock = Clock()
    standstills = Standstills(clock)
    mark = standstills.mark()
    for _ in range(5):
        clock.jump(LONGEST / 2)
        assert not standstills.since(mark)


def test_a_standstill_is_noticed_whoever_looks_first() -> None:
    clock = Clock()
    standstills = Standstills(clock)
    before = standstills.mark()
    clock.jump(LONG)
    after = standstills.mark()
    assert standstills.since(before)
    assert not standstills.since(after)


def test_it_stays_noticed() -> None:
    clock = Clock()
    standstills = Standstills(clock)
    mark = standstills.mark()
    clock.jump(LONG)
    assert [standstills.since(mark) for _ in range(3)] == [True] * 3


def failing(meanwhile: Callable[[], None], calls: list[str]) -> Callable[[], None]:
    def call() -> None:
        calls.append("call")
        if len(calls) == 1:
            meanwhile()
            raise StoreUnavailable("the answer was lost")

    return call


def test_a_call_is_repeated_unless_the_process_stood_still_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, quick = jumping(monkeypatch), Retry(first_wait=0.001)
    awake: list[str] = []
    quick.run(failing(lambda: None, awake))
    asleep: list[str] = []
    with pytest.raises(StoreUnavailable, match="lost"):
        quick.run(failing(lambda: clock.jump(LONG), asleep))
    assert (len(awake), len(asleep)) == (2, 1)


def test_a_lost_put_is_not_sent_again_by_a_process_that_stood_still(
    s3_proxy: FaultyS3, faulty_store: S3ObjectStore, seaweedfs: S3World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = jumping(monkeypatch)

    def fault(request: Request, server: Server) -> Answer:
        clock.jump(LONG)
        return error(503, "SlowDown")

    s3_proxy.fault = fault
    with pytest.raises(StoreUnavailable, match="SlowDown"):
        faulty_store.put(Location(seaweedfs.bucket, "late"), b"late")
    assert s3_proxy.count("PutObject") == 1
    assert seaweedfs.content() == {}


def test_a_request_that_was_made_before_a_standstill_does_not_leave_after_it(
    s3_proxy: FaultyS3, faulty_store: S3ObjectStore, seaweedfs: S3World, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = jumping(monkeypatch)
    events = faulty_store._connection.client.meta.events
    events.register("request-created.s3.PutObject", lambda **_: clock.jump(LONG))

    with pytest.raises(StoreUnavailable, match="stood still"):
        faulty_store.put(Location(seaweedfs.bucket, "late"), b"late")

    assert s3_proxy.requests == []
