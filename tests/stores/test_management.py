from collections.abc import Iterator

import pytest

from restore.errors import AccessDenied, StoreUnavailable
from starter import port
from stores.management import Management
from tests.stores.management_server import Kind, ManagementServer, managing


@pytest.fixture(params=["older", "newer"])
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def server(kind: Kind) -> Iterator[ManagementServer]:
    with managing(kind) as running:
        yield running


@pytest.fixture
def management(server: ManagementServer) -> Iterator[Management]:
    made = Management("default", f"{server.endpoint}/")
    yield made
    made.close()


def test_what_was_paused_is_resumed(management: Management, server: ManagementServer) -> None:
    ticket = management.pause(3600)
    assert list(server.paused.values()) == [3600]

    management.resume(ticket)

    assert server.paused == {}


@pytest.mark.parametrize("kind", ["newer"])
def test_the_pause_of_another_stays(management: Management, server: ManagementServer) -> None:
    mine, theirs = management.pause(60), management.pause(90)

    management.resume(mine)

    assert server.paused == {theirs: 90}


@pytest.mark.parametrize(
    ("status", "failure"),
    [(500, StoreUnavailable), (503, StoreUnavailable), (401, AccessDenied), (400, AccessDenied)],
)
def test_a_refusal_is_told_with_its_reason(
    management: Management, server: ManagementServer, status: int, failure: type[Exception]
) -> None:
    server.refusal = (status, "node is\nnot ready")

    with pytest.raises(failure, match=rf"{server.endpoint}/ .*'default' answers {status}.*node is not ready"):
        management.pause(60)

    assert server.calls == ["pause"]


@pytest.mark.parametrize("kind", ["absent"])
def test_a_milvus_without_such_a_call_is_named(management: Management) -> None:
    with pytest.raises(AccessDenied, match=r"404 page not found.*RESTORE_MILVUS_MANAGEMENT.*leave it out"):
        management.pause(60)


def test_nobody_there_may_be_there_later() -> None:
    closed = port.pick(("closed",))["closed"]

    with pytest.raises(StoreUnavailable, match=f"127.0.0.1:{closed} .* does not answer to resume"):
        Management("default", f"http://127.0.0.1:{closed}").resume(None)
