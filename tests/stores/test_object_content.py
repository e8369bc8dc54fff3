"""What reading an object once tells, whether a place may be written, and which uploads are open."""

import hashlib

import pytest

from restore.errors import AccessDenied, ObjectMissing
from stores.ports import Content, Location
from stores.s3 import S3ObjectStore
from tests.stores.faulty_s3 import Answer, FaultyS3, Request, Server, error
from tests.stores.object_worlds import LARGE, QUICK, World


@pytest.mark.parametrize("body", [b"", b"x", LARGE], ids=["empty", "byte", "large"])
def test_one_reading_tells_state_and_hashes(world: World, body: bytes) -> None:
    stat = world.stored(world.at("a"), body)
    expected = hashlib.sha256(body).hexdigest(), hashlib.md5(body).hexdigest()
    assert world.store.content(world.at("a")) == Content(stat, *expected)


def test_the_content_of_an_absent_object_is_missed(world: World) -> None:
    with pytest.raises(ObjectMissing, match=f"s3://{world.bucket}/none"):
        world.store.content(world.at("none"))


def test_asking_whether_a_place_may_be_written_leaves_nothing(world: World) -> None:
    world.store.check_writable(world.at("a/b"))
    assert world.content() == {}
    assert world.unfinished() == []


def test_in_an_absent_bucket_nothing_may_be_written(world: World) -> None:
    with pytest.raises(ObjectMissing, match="bucket b-nowhere does not exist"):
        world.store.check_writable(Location("b-nowhere", "k"))


def test_unfinished_uploads_are_told_below_the_prefix_alone(world: World) -> None:
    for key in ("p/1", "p/2", "q/1"):
        world.begin_upload(world.at(key))
    assert sorted(world.store.unfinished(world.bucket, "p/")) == ["p/1", "p/2"]
    assert sorted(world.unfinished()) == ["p/1", "p/2", "q/1"]


def test_a_store_that_refuses_writes_says_so_before_anything_is_sent(s3_proxy: FaultyS3) -> None:
    def read_only(request: Request, server: Server) -> Answer | None:
        reading = request.method in ("GET", "HEAD")
        return server(request) if reading else error(403, "AccessDenied")

    s3_proxy.fault = read_only
    store = S3ObjectStore(s3_proxy.access, retry=QUICK)
    with pytest.raises(AccessDenied, match="AccessDenied"):
        store.check_writable(Location("b", "k"))
    store.close()
    assert s3_proxy.count("PutObject") == 0
