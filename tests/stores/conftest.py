"""Object stores to test against: the twin, SeaweedFS of the local stack, and ministack."""

from collections.abc import Iterator

import pytest

from starter.stack import Stack
from stores.retry import Retry
from stores.s3 import S3ObjectStore
from stores.s3_connection import Access
from tests.stores.faulty_s3 import FaultyS3, faulty
from tests.stores.object_worlds import SMALL_PARTS, MemoryWorld, S3World, World, ministack

_SEAWEEDFS_MISSES = {
    "absent target bucket": "SeaweedFS 4.48 answers a copy into an absent bucket with 500 InternalError",
    "keys like paths": "SeaweedFS 4.48 keeps objects in a file tree: it folds // and refuses . and a last /",
}
_MINISTACK_MISSES = {
    "wrong keys": "ministack 1.4 verifies no signature of its root user",
}


@pytest.fixture(scope="session")
def seaweedfs_access(stack: Stack) -> Access:
    """How to enter the local stack's SeaweedFS."""
    settings = stack.settings()
    keys = settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"]
    return Access("default", settings["RESTORE_S3_ENDPOINT"], settings["RESTORE_S3_REGION"], *keys)


@pytest.fixture(scope="session")
def ministack_access(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    """How to enter a running ministack."""
    with ministack(tmp_path_factory.mktemp("ministack")) as access:
        yield access


@pytest.fixture
def seaweedfs(seaweedfs_access: Access) -> Iterator[S3World]:
    """SeaweedFS with two empty buckets."""
    world = S3World("seaweedfs", seaweedfs_access, _SEAWEEDFS_MISSES)
    yield world
    world.close()


@pytest.fixture(params=["memory", "seaweedfs", "ministack"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """Each kind of store in turn, with two empty buckets."""
    if request.param == "memory":
        yield MemoryWorld()
    elif request.param == "seaweedfs":
        yield request.getfixturevalue("seaweedfs")
    else:
        access = request.getfixturevalue("ministack_access")
        other = S3World("ministack", access, _MINISTACK_MISSES)
        yield other
        other.close()


@pytest.fixture
def elsewhere(world: World, request: pytest.FixtureRequest) -> Iterator[World]:
    """A store behind another endpoint, of another kind where there is one."""
    if isinstance(world, MemoryWorld):
        yield MemoryWorld()
    else:
        origin = "ministack" if world.name == "seaweedfs" else "seaweedfs"
        other = S3World(origin, request.getfixturevalue(f"{origin}_access"), {})
        yield other
        other.close()


@pytest.fixture
def s3_proxy(seaweedfs: S3World) -> Iterator[FaultyS3]:
    """A proxy before SeaweedFS that fails on demand."""
    with faulty(seaweedfs.access) as running:
        yield running


@pytest.fixture
def faulty_store(s3_proxy: FaultyS3) -> Iterator[S3ObjectStore]:
    """A store that reaches SeaweedFS through the proxy, and does not give up soon."""
    stubborn = Retry(budget=30.0, first_wait=0.005, longest_wait=0.05)
    through = S3ObjectStore(s3_proxy.access, retry=stubborn, rule=SMALL_PARTS)
    yield through
    through.close()
