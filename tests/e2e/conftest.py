"""What tests of whole restores share: the servers, two samples, and one worker for well-behaved stores."""

from collections.abc import Iterator

import pytest

from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from starter.stack import Stack
from tests.e2e.deployment import Deployment, deployed
from tests.e2e.site import Site, opened
from tests.e2e.slow_site import SlowSite, slow_site
from tests.e2e.troubled_stores import TroubledStores, troubled_stores
from tests.e2e.valve import Valve


@pytest.fixture(scope="session")
def servers(stack: Stack) -> dict[str, str]:
    """The contract's variables that lead to the shared servers."""
    return stack.settings()


@pytest.fixture(scope="session")
def library(servers: dict[str, str]) -> Iterator[Deployment]:
    """Where the shared samples lie: nobody restores into it."""
    with deployed(servers) as deployment:
        yield deployment


@pytest.fixture(scope="session")
def small(library: Deployment) -> WrittenSample:
    """A snapshot of one copy task."""
    return library.sample(SampleShape(name="small", segments=4, megabytes=1.2))


@pytest.fixture(scope="session")
def large(library: Deployment) -> WrittenSample:
    """A snapshot of several copy tasks."""
    sample = SampleShape(
        name="large", segments=12, megabytes=3.6, collection_id=SampleShape().collection_id + 10**6
    )
    return library.sample(sample)


@pytest.fixture(scope="session")
def troubled(servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[TroubledStores]:
    """Profiles of stores that refuse, or do not answer."""
    with troubled_stores(servers, tmp_path_factory.mktemp("troubled")) as stores:
        yield stores


@pytest.fixture(scope="session")
def site(
    servers: dict[str, str], troubled: TroubledStores, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """A worker whose default profile comes from the environment, and the troubled ones from a file."""
    with opened(servers, tmp_path_factory.mktemp("site"), troubled.environment) as running:
        yield running


@pytest.fixture(scope="module")
def slow(servers: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowSite]:
    """A worker of this module's own, whose S3 requests all pass a proxy; the test itself goes around it."""
    with slow_site(servers, tmp_path_factory.mktemp("slow")) as running:
        yield running


@pytest.fixture
def valve(slow: SlowSite) -> Iterator[Valve]:
    """Holds the copies back."""
    with slow.held_back() as valve:
        yield valve
