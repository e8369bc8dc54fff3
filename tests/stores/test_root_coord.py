import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from formats.errors import UnsupportedFormat
from formats.keys import MetaKeys
from restore.errors import AccessDenied
from starter.port import pick
from stores.metadata import EtcdMetadataStore
from stores.milvus_ids import RootCoordIds
from stores.ports import Transaction
from stores.proto.root_coord_pb2 import AllocIDRequest, AllocIDResponse, Status
from stores.retry import Retry
from stores.root_coord import RootCoord
from tests.stores.id_server import FIRST_ID, Answer, IdServer, register, serving

BRIEF = Retry(budget=0.5, first_wait=0.01, longest_wait=0.05)
RACERS = 8


@pytest.fixture
def keys(etcd_root: str) -> MetaKeys:
    return MetaKeys(etcd_root, "meta")


@pytest.fixture
def store(etcd_endpoint: str) -> Iterator[EtcdMetadataStore]:
    opened = EtcdMetadataStore.connect("default", [etcd_endpoint])
    yield opened
    opened.close()


@pytest.fixture
def server() -> Iterator[IdServer]:
    with serving() as running:
        yield running


@pytest.fixture
def coordinator(store: EtcdMetadataStore, keys: MetaKeys) -> Iterator[RootCoord]:
    made = RootCoord("default", store, keys, BRIEF)
    yield made
    made.close()


def closed_port() -> str:
    return f"127.0.0.1:{pick(('nobody',))['nobody']}"


def status(**fields: int | str | bool) -> Answer:
    def answer(request: AllocIDRequest, context: grpc.ServicerContext) -> AllocIDResponse:
        return AllocIDResponse(status=Status(**fields))  # type: ignore[arg-type]  # as the test names them

    return answer


@pytest.mark.parametrize("role", ["rootcoord", "mixcoord"])
def test_the_coordinator_is_found_by_its_session(
    store: EtcdMetadataStore, keys: MetaKeys, server: IdServer, coordinator: RootCoord, role: str
) -> None:
    register(store, keys, server.address, role)

    coordinator.check()

    assert coordinator.allocate(3) == range(FIRST_ID, FIRST_ID + 3)
    assert coordinator.allocate(1) == range(FIRST_ID + 3, FIRST_ID + 4)


def test_the_session_of_the_active_root_coordinator_comes_first(
    store: EtcdMetadataStore, keys: MetaKeys, server: IdServer, coordinator: RootCoord
) -> None:
    register(store, keys, closed_port(), "mixcoord")
    register(store, keys, server.address)

    assert len(coordinator.allocate(1)) == 1


@pytest.mark.parametrize("call", ["check", "allocate"])
def test_without_a_session_keys_and_setting_are_named(
    keys: MetaKeys, coordinator: RootCoord, call: str
) -> None:
    with pytest.raises(AccessDenied) as caught:
        coordinator.check() if call == "check" else coordinator.allocate(1)

    for part in (keys.session("rootcoord"), keys.session("mixcoord"), "RESTORE_MILVUS_ADDRESS"):
        assert part in str(caught.value)


@pytest.mark.parametrize("call", ["check", "allocate"])
def test_a_coordinator_that_cannot_be_reached_is_named_with_its_address(
    store: EtcdMetadataStore,
    keys: MetaKeys,
    coordinator: RootCoord,
    call: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = closed_port()
    register(store, keys, address)
    monkeypatch.setattr("stores.root_coord._CHECK", 0.2)

    with pytest.raises(AccessDenied, match=address) as caught:
        coordinator.check() if call == "check" else coordinator.allocate(1)

    assert "RESTORE_MILVUS_ADDRESS" in str(caught.value)


@pytest.mark.parametrize("value", [b"", b"{", b"7", b"{}", b'{"Address": 7}', b'{"Address": ""}', b"\xff"])
def test_a_session_without_an_address_is_named(
    store: EtcdMetadataStore, keys: MetaKeys, coordinator: RootCoord, value: bytes
) -> None:
    key = keys.session("rootcoord")
    assert store.commit(Transaction(puts={key: value}))

    with pytest.raises(UnsupportedFormat, match=key):
        coordinator.allocate(1)


def test_a_failover_is_followed(store: EtcdMetadataStore, keys: MetaKeys, server: IdServer) -> None:
    patient = RootCoord("default", store, keys, Retry(budget=20.0, first_wait=0.01, longest_wait=0.05))
    with serving() as second:
        second.next_id = FIRST_ID + 1_000_000

        def dies(request: AllocIDRequest, context: grpc.ServicerContext) -> AllocIDResponse:
            register(store, keys, second.address)
            context.abort(grpc.StatusCode.UNAVAILABLE, "going down")

        server.troubles = [dies]
        register(store, keys, server.address)

        assert patient.allocate(2) == range(FIRST_ID + 1_000_000, FIRST_ID + 1_000_002)
        patient.close()


@pytest.mark.parametrize(
    "trouble",
    [
        status(code=1, reason="service not ready[rootcoord=1]: Initializing"),
        status(code=5, reason="node offline", retriable=True),
    ],
    ids=["not ready", "retriable"],
)
def test_a_coordinator_that_is_still_starting_is_waited_for(
    store: EtcdMetadataStore, keys: MetaKeys, server: IdServer, coordinator: RootCoord, trouble: Answer
) -> None:
    server.troubles = [trouble, trouble]
    register(store, keys, server.address)

    assert coordinator.allocate(1) == range(FIRST_ID, FIRST_ID + 1)
    assert server.calls == 3


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        (status(error_code=1, code=65535, reason="tso count should be positive"), "count should be positive"),
        (status(error_code=1, reason="said by an old release"), "said by an old release"),
        (status(), "0 ids instead of 7"),
    ],
    ids=["code", "old error code", "too few"],
)
def test_a_refusal_is_told_at_once_with_milvuss_reason(
    store: EtcdMetadataStore,
    keys: MetaKeys,
    server: IdServer,
    coordinator: RootCoord,
    trouble: Answer,
    reason: str,
) -> None:
    server.troubles = [trouble]
    register(store, keys, server.address)

    with pytest.raises(AccessDenied, match=reason):
        coordinator.allocate(7)

    assert server.calls == 1


def test_something_else_at_the_address_is_told_at_once(
    store: EtcdMetadataStore, keys: MetaKeys, coordinator: RootCoord
) -> None:
    with serving("AllocTimestamp") as other:
        register(store, keys, other.address)

        with pytest.raises(AccessDenied, match=f"{other.address}.*UNIMPLEMENTED"):
            coordinator.allocate(1)


def test_ids_rise_and_are_taken_in_blocks(
    store: EtcdMetadataStore, keys: MetaKeys, server: IdServer, coordinator: RootCoord
) -> None:
    register(store, keys, server.address)
    ids = RootCoordIds(coordinator, block_size=10)

    assert [number for _ in range(4) for number in ids.allocate(3)] == list(range(FIRST_ID, FIRST_ID + 12))
    assert ids.allocate(30) == list(range(FIRST_ID + 12, FIRST_ID + 42))
    assert server.next_id == FIRST_ID + 42


def test_ids_in_use_and_occupied_blocks_are_passed_over(
    store: EtcdMetadataStore, keys: MetaKeys, server: IdServer, coordinator: RootCoord
) -> None:
    register(store, keys, server.address)
    exist = {FIRST_ID - 1, FIRST_ID + 1, FIRST_ID + 9}
    ids = RootCoordIds(
        coordinator,
        taken=lambda first, last: {each for each in exist if first <= each <= last},
        occupied=lambda block: FIRST_ID + 4 in block,
        block_size=4,
    )

    assert ids.allocate(3) == [FIRST_ID, FIRST_ID + 2, FIRST_ID + 3]
    assert ids.allocate(4) == [FIRST_ID + 8, FIRST_ID + 10, FIRST_ID + 11, FIRST_ID + 12]


def test_an_allocator_that_begins_anew_lower_is_checked_anew(
    store: EtcdMetadataStore, keys: MetaKeys, server: IdServer, coordinator: RootCoord
) -> None:
    register(store, keys, server.address)
    low = FIRST_ID - 1_000
    ids = RootCoordIds(
        coordinator, taken=lambda first, last: {each for each in (low + 1,) if first <= each <= last}
    )
    ids.allocate(1)
    server.next_id = low

    assert ids.allocate(3) == [low, low + 2, low + 3]


def test_racing_threads_never_share_an_id(
    store: EtcdMetadataStore, keys: MetaKeys, server: IdServer, coordinator: RootCoord
) -> None:
    register(store, keys, server.address)
    start = threading.Barrier(RACERS)

    def race(_: int) -> list[int]:
        ids = RootCoordIds(coordinator, block_size=7)
        start.wait()
        return [number for _ in range(10) for number in ids.allocate(4)]

    with ThreadPoolExecutor(RACERS) as pool:
        given = [number for numbers in pool.map(race, range(RACERS)) for number in numbers]
    assert len(set(given)) == RACERS * 40
