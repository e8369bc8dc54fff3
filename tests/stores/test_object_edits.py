"""Objects whose first bytes become others on their way: the same for the twin and for two S3 servers."""

import hashlib
from dataclasses import dataclass

import pytest

from restore.errors import ObjectMismatch, SnapshotCorrupt
from stores.parts import MIB
from stores.ports import Content
from stores.s3 import S3ObjectStore
from tests.stores.faulty_s3 import FaultyS3, answering, error, lost, once
from tests.stores.object_worlds import LARGE, MemoryWorld, S3World, World

CHANGED = slice(3, 7)


@dataclass(frozen=True)
class Marking:
    """Puts a mark at bytes 3 to 6 of objects that are long enough."""

    length: int = 10
    mark: bytes = b"MARK"

    def __call__(self, head: bytes) -> bytes:
        if len(head) < self.length:
            raise SnapshotCorrupt(f"{len(head)} bytes are too few")
        return head[: CHANGED.start] + self.mark + head[CHANGED.stop :]


def marked(body: bytes) -> bytes:
    return body[: CHANGED.start] + b"MARK" + body[CHANGED.stop :]


@pytest.mark.parametrize("size", [10, 11, 70_000, len(LARGE)])
def test_an_edit_changes_its_bytes_and_no_others(world: World, size: int) -> None:
    body = LARGE[:size]
    stat = world.stored(world.at("from"), body)
    world.store.receive(world.store, world.at("from"), world.beside("to"), stat, Marking())
    assert world.content() == {str(world.at("from")): body, str(world.beside("to")): marked(body)}
    assert world.unfinished() == []


def test_an_edit_works_between_two_endpoints(world: World, elsewhere: World) -> None:
    stat = elsewhere.stored(elsewhere.at("from"), LARGE[:1000])
    world.store.receive(elsewhere.store, elsewhere.at("from"), world.at("to"), stat, Marking())
    assert world.content() == {str(world.at("to")): marked(LARGE[:1000])}


def test_an_edited_object_of_another_kind_of_store(world: World) -> None:
    twin = MemoryWorld()
    stat = twin.stored(twin.at("from"), LARGE[:100])
    world.store.receive(twin.store, twin.at("from"), world.at("to"), stat, Marking())
    assert world.content() == {str(world.at("to")): marked(LARGE[:100])}


@pytest.mark.parametrize("size", [100, len(LARGE)])
def test_an_edited_object_tells_what_it_was_made_from(world: World, size: int) -> None:
    stat = world.stored(world.at("from"), LARGE[:size])
    world.store.receive(world.store, world.at("from"), world.beside("to"), stat, Marking())
    assert world.store.made_from(world.beside("to")) == stat.etag


def test_an_object_made_otherwise_tells_nothing(world: World) -> None:
    stat = world.stored(world.at("from"), b"0123456789")
    world.store.copy(world.at("from"), world.beside("to"), stat)
    world.store.receive(world.store, world.at("from"), world.beside("received"), stat)
    for at in (world.at("from"), world.beside("to"), world.beside("received"), world.at("absent")):
        assert world.store.made_from(at) is None


def test_an_edit_of_an_edited_object_tells_of_the_last(world: World) -> None:
    stat = world.stored(world.at("from"), LARGE[:100])
    world.store.receive(world.store, world.at("from"), world.at("once"), stat, Marking())
    once = world.listed(world.at("once"))
    world.store.receive(world.store, world.at("once"), world.at("twice"), once, Marking(mark=b"mark"))
    assert world.store.made_from(world.at("twice")) == once.etag != stat.etag


def test_type_and_metadata_of_the_source_are_kept(world: World) -> None:
    if not isinstance(world, S3World):
        pytest.skip("the twin keeps bytes only")
    at, to = world.at("from"), world.beside("to")
    world.client.put_object(
        Bucket=at.bucket, Key=at.key, Body=LARGE[:99], ContentType="a/b", Metadata={"who": "us"}
    )
    world.store.receive(world.store, at, to, world.listed(at), Marking())
    head = world.client.head_object(Bucket=to.bucket, Key=to.key)
    assert head["ContentType"] == "a/b"
    assert {name.lower(): value for name, value in head["Metadata"].items()}["who"] == "us"


@pytest.mark.parametrize("size", [0, 9])
def test_what_an_edit_refuses_is_said_at_once_and_leaves_nothing(world: World, size: int) -> None:
    stat = world.stored(world.at("from"), LARGE[:size])
    with pytest.raises(SnapshotCorrupt, match=f"{size} bytes are too few"):
        world.store.receive(world.store, world.at("from"), world.beside("to"), stat, Marking())
    with pytest.raises(SnapshotCorrupt, match=f"{size} bytes are too few"):
        world.store.content(world.at("from"), Marking())
    assert set(world.content()) == {str(world.at("from"))}


def test_what_an_edit_refuses_of_a_large_object_leaves_no_upload(world: World) -> None:
    stat = world.stored(world.at("from"), LARGE)
    with pytest.raises(SnapshotCorrupt, match="too few"):
        world.store.receive(world.store, world.at("from"), world.beside("to"), stat, Refusing())
    assert set(world.content()) == {str(world.at("from"))}
    assert world.unfinished() == []


@dataclass(frozen=True)
class Refusing:
    """Changes nothing."""

    length: int = 10

    def __call__(self, head: bytes) -> bytes:
        raise SnapshotCorrupt(f"{len(head)} bytes are too few")


@pytest.mark.parametrize("size", [100, len(LARGE)])
def test_a_source_that_changed_is_not_edited(world: World, size: int) -> None:
    stat = world.stored(world.at("from"), LARGE[:size])
    world.store.put(world.at("from"), LARGE[:size][::-1])
    with pytest.raises(ObjectMismatch, match=f"s3://{world.bucket}/from"):
        world.store.receive(world.store, world.at("from"), world.beside("to"), stat, Marking())
    assert set(world.content()) == {str(world.at("from"))}
    assert world.unfinished() == []


@pytest.mark.parametrize("size", [10, 70_000, len(LARGE)])
def test_content_tells_the_hashes_of_what_an_edit_would_make(world: World, size: int) -> None:
    stat = world.stored(world.at("from"), LARGE[:size])
    made = marked(LARGE[:size])
    md5 = hashlib.md5(made, usedforsecurity=False).hexdigest()
    expected = Content(stat, hashlib.sha256(made).hexdigest(), md5)
    assert world.store.content(world.at("from"), Marking()) == expected


@pytest.mark.parametrize("size", [100, 16 * MIB])
@pytest.mark.parametrize("operation", ["GetObject", "PutObject"])
def test_edits_outlive_refusals_and_lost_answers(
    seaweedfs: S3World, s3_proxy: FaultyS3, faulty_store: S3ObjectStore, operation: str, size: int
) -> None:
    stat = seaweedfs.stored(seaweedfs.at("from"), LARGE[:size])
    wanted = "UploadPart" if operation == "PutObject" and size > 100 else operation
    for fault in (answering(error(503, "SlowDown")), lost):
        s3_proxy.requests.clear()
        s3_proxy.fault = once(wanted, fault)
        faulty_store.receive(faulty_store, seaweedfs.at("from"), seaweedfs.beside("to"), stat, Marking())
        assert seaweedfs.content()[str(seaweedfs.beside("to"))] == marked(LARGE[:size])
        assert s3_proxy.count("GetObject") == (2 if size == 100 else 4)
    assert seaweedfs.unfinished() == []
