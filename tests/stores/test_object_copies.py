"""How objects get from place to place: the same for the twin and for two S3 servers."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from restore.errors import ObjectMismatch, ObjectMissing, StoreUnavailable
from stores.parts import MIB
from stores.ports import Location, ObjectStat
from tests.stores.object_worlds import LARGE, MemoryWorld, S3World, World


@pytest.mark.parametrize("size", [0, 1, 65_536, 5 * MIB])
def test_copy_stores_the_same_bytes(world: World, size: int) -> None:
    body = LARGE[:size]
    stat = world.stored(world.at("from"), body)
    assert world.store.copy(world.at("from"), world.beside("to"), stat)
    assert world.content() == {str(world.at("from")): body, str(world.beside("to")): body}
    assert world.listed(world.beside("to")).etag == stat.etag


def test_a_second_profile_copies_what_the_first_wrote(world: World) -> None:
    second = world.second_profile()
    assert second.endpoint == world.store.endpoint
    stat = world.stored(world.at("from"), b"1")
    assert second.copy(world.at("from"), world.beside("to"), stat)
    assert world.content()[str(world.beside("to"))] == b"1"


def test_many_threads_copy_with_one_store(world: World) -> None:
    bodies = {f"k{number}": os.urandom(1000 + number) for number in range(100)}
    for key, body in bodies.items():
        world.store.put(world.at(key), body)

    def copy(stat: ObjectStat) -> bool:
        return world.store.copy(world.at(stat.key), world.beside(stat.key), stat)

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(copy, world.store.scan(world.bucket, "")))
    content = world.content()
    assert all(content[str(world.beside(key))] == body for key, body in bodies.items())


@pytest.mark.parametrize("size", [100, 16 * MIB])
def test_a_source_that_changed_since_is_a_mismatch(world: World, size: int) -> None:
    stat = world.stored(world.at("from"), LARGE[:size])
    world.store.put(world.at("from"), LARGE[:size][::-1])
    with pytest.raises(ObjectMismatch, match=f"s3://{world.bucket}/from"):
        world.store.copy(world.at("from"), world.beside("to"), stat)
    assert set(world.content()) == {str(world.at("from"))}
    assert world.unfinished() == []


@pytest.mark.parametrize("size", [100, 16 * MIB])
def test_an_absent_source_is_named(world: World, size: int) -> None:
    stat = ObjectStat("from", size, "0" * 32)
    with pytest.raises(ObjectMissing, match=f"s3://{world.bucket}/from"):
        world.store.copy(world.at("from"), world.beside("to"), stat)
    assert world.content() == {}
    assert world.unfinished() == []


def test_an_absent_source_bucket_is_named(world: World) -> None:
    stat = ObjectStat("from", 1, "0" * 32)
    with pytest.raises(ObjectMissing, match="bucket b-nowhere"):
        world.store.copy(Location("b-nowhere", "from"), world.beside("to"), stat)


def test_an_absent_target_bucket_is_named(world: World, request: pytest.FixtureRequest) -> None:
    world.expect_miss("absent target bucket", request)
    stat = world.stored(world.at("from"), b"1")
    with pytest.raises(ObjectMissing, match="bucket b-nowhere"):
        world.store.copy(world.at("from"), Location("b-nowhere", "to"), stat)


def test_a_large_object_is_copied_in_parts(world: World) -> None:
    stat = world.stored(world.at("from"), LARGE)
    answers = iter([True] * 3)  # asked more often it raises StopIteration
    assert world.store.copy(world.at("from"), world.beside("to"), stat, lambda: next(answers))
    assert list(answers) == []
    assert world.content() == {str(world.at("from")): LARGE, str(world.beside("to")): LARGE}
    assert world.listed(world.beside("to")).size == stat.size
    assert world.unfinished() == []


@pytest.mark.parametrize("asked_before_no", [0, 1, 2])
def test_a_copy_in_parts_that_may_not_go_on_leaves_nothing(world: World, asked_before_no: int) -> None:
    stat = world.stored(world.at("from"), LARGE)
    answers = iter([True] * asked_before_no + [False])
    assert world.store.copy(world.at("from"), world.beside("to"), stat, lambda: next(answers)) is False
    assert set(world.content()) == {str(world.at("from"))}
    assert world.unfinished() == []


def test_an_error_in_go_on_leaves_nothing_and_is_raised(world: World) -> None:
    stat = world.stored(world.at("from"), LARGE)
    with pytest.raises(ZeroDivisionError):
        world.store.copy(world.at("from"), world.beside("to"), stat, lambda: bool(1 // 0))
    assert set(world.content()) == {str(world.at("from"))}
    assert world.unfinished() == []


def test_a_copy_whose_upload_somebody_aborts_may_be_tried_again(world: World) -> None:
    stat = world.stored(world.at("from"), LARGE)

    def abort() -> bool:
        world.store.abort_uploads(world.other, "")
        return True

    with pytest.raises(StoreUnavailable, match=f"s3://{world.other}/to"):
        world.store.copy(world.at("from"), world.beside("to"), stat, abort)
    assert set(world.content()) == {str(world.at("from"))}
    assert world.store.copy(world.at("from"), world.beside("to"), stat)
    assert world.content()[str(world.beside("to"))] == LARGE


@pytest.mark.parametrize("size", [0, 1, 70_000, 16 * MIB])
def test_receive_stores_the_bytes_of_another_endpoint(world: World, elsewhere: World, size: int) -> None:
    stat = elsewhere.stored(elsewhere.at("from #1"), LARGE[:size])
    assert world.store.endpoint != elsewhere.store.endpoint
    world.store.receive(elsewhere.store, elsewhere.at("from #1"), world.at("to +1"), stat)
    assert world.content() == {str(world.at("to +1")): LARGE[:size]}
    assert world.listed(world.at("to +1")).size == size
    assert world.unfinished() == []


def test_receive_takes_stores_of_another_kind(world: World) -> None:
    twin = MemoryWorld()
    stat = twin.stored(twin.at("from"), b"body")
    world.store.receive(twin.store, twin.at("from"), world.at("to"), stat)
    twin.store.put(twin.at("from"), b"soul")
    with pytest.raises(ObjectMismatch, match=f"s3://{twin.bucket}/from has changed"):
        world.store.receive(twin.store, twin.at("from"), world.at("again"), stat)
    assert world.content() == {str(world.at("to")): b"body"}


@pytest.mark.parametrize("size", [100, 16 * MIB])
def test_receive_refuses_a_source_that_changed(world: World, elsewhere: World, size: int) -> None:
    stat = elsewhere.stored(elsewhere.at("from"), LARGE[:size])
    elsewhere.store.put(elsewhere.at("from"), LARGE[:size][::-1])
    with pytest.raises(ObjectMismatch, match=f"s3://{elsewhere.bucket}/from"):
        world.store.receive(elsewhere.store, elsewhere.at("from"), world.at("to"), stat)
    assert world.content() == {}
    assert world.unfinished() == []


@pytest.mark.parametrize("size", [100, 16 * MIB])
def test_receive_names_an_absent_source(world: World, elsewhere: World, size: int) -> None:
    stat = ObjectStat("from", size, "0" * 32)
    with pytest.raises(ObjectMissing, match=f"s3://{elsewhere.bucket}/from"):
        world.store.receive(elsewhere.store, elsewhere.at("from"), world.at("to"), stat)
    assert world.content() == {}


@pytest.mark.parametrize("size", [100, 16 * MIB])
def test_copies_keep_content_type_and_metadata(world: World, size: int) -> None:
    if not isinstance(world, S3World):
        pytest.skip("the twin keeps bytes only")
    at = world.at("from")
    world.client.put_object(
        Bucket=at.bucket,
        Key=at.key,
        Body=LARGE[:size],
        ContentType="text/x-log",
        Metadata={"writer": "milvus"},
    )
    assert world.store.copy(at, world.beside("to"), world.listed(at))
    world.store.receive(world.second_profile(), at, world.beside("received"), world.listed(at))
    for key in ("to", "received"):
        head = world.client.head_object(Bucket=world.other, Key=key)
        assert (head["ContentType"], head["Metadata"]) == ("text/x-log", {"writer": "milvus"})
