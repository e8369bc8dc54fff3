"""The contract of ObjectStore, held by the twin and by two S3 servers."""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from restore.errors import AccessDenied, ObjectMismatch, ObjectMissing, RestoreError, StoreUnavailable
from stores.parts import MIB
from stores.ports import Location, ObjectStat
from stores.s3 import S3ObjectStore
from tests.stores.object_worlds import MemoryWorld, S3World, World

LARGE = os.urandom(16 * MIB)  # three parts
ODD_KEYS = [
    "plain/100/1",
    "with space and  two",
    "plus+plus",
    "percent%20%2F%",
    "ünï/日本語/é",
    "hash#tag",
    "question?versionId=1",
    "a&b=c;d,e:f@g$h!(i)*'j'",
    'quo"te<tag>',
    "til~de^caret|pipe`tick{brace}[bracket]",
    "new\nline and\ttab",
    "k" * 240,
]


def listed(world: World, at: Location) -> ObjectStat:
    stat = world.store.stat(at)
    assert stat is not None
    return stat


def stored(world: World, at: Location, body: bytes) -> ObjectStat:
    world.store.put(at, body)
    return listed(world, at)


def expect_miss(request: pytest.FixtureRequest, world: World, what: str) -> None:
    """Hold the world to a declared miss: the day it is gone, the test says so."""
    if what in world.misses:
        request.applymarker(pytest.mark.xfail(reason=world.misses[what], strict=True))


@pytest.mark.parametrize("body", [b"", b"x", b"\x00\r\n" * 5000])
def test_what_was_put_is_got(world: World, body: bytes) -> None:
    world.store.put(world.at("a/b"), body)
    assert world.store.get(world.at("a/b")) == body
    assert world.content() == {str(world.at("a/b")): body}


def test_put_replaces(world: World) -> None:
    world.store.put(world.at("a"), b"old and long")
    world.store.put(world.at("a"), b"new")
    assert world.content() == {str(world.at("a")): b"new"}


def test_stat_tells_size_and_bare_etag(world: World) -> None:
    stat = stored(world, world.at("a"), b"hello")
    assert stat == ObjectStat("a", 5, hashlib.md5(b"hello").hexdigest())


def test_digest_is_the_sha256_of_the_bytes(world: World) -> None:
    world.store.put(world.at("a"), LARGE)
    assert world.store.digest(world.at("a")) == hashlib.sha256(LARGE).hexdigest()


def test_absent_objects_are_named(world: World) -> None:
    assert world.store.stat(world.at("none")) is None
    with pytest.raises(ObjectMissing, match=f"s3://{world.bucket}/none"):
        world.store.get(world.at("none"))
    with pytest.raises(ObjectMissing, match=f"s3://{world.bucket}/none"):
        world.store.digest(world.at("none"))


def test_absent_buckets_are_named(world: World) -> None:
    nowhere, store = Location("b-nowhere", "k"), world.store
    assert store.stat(nowhere) is None
    calls: list[Callable[[], object]] = [
        lambda: store.check("b-nowhere"),
        lambda: store.get(nowhere),
        lambda: store.put(nowhere, b""),
        lambda: list(store.scan("b-nowhere", "")),
        lambda: store.delete("b-nowhere", ["k"]),
        lambda: store.abort_uploads("b-nowhere", ""),
        lambda: store.digest(nowhere),
    ]
    for call in calls:
        with pytest.raises(ObjectMissing, match="bucket b-nowhere does not exist"):
            call()


def test_check_accepts_a_bucket_that_exists(world: World) -> None:
    world.store.check(world.bucket)


@pytest.mark.parametrize(
    ("field", "kind"), [("access_key", "InvalidAccessKeyId"), ("secret_key", "Signature")]
)
def test_check_refuses_wrong_keys_and_does_not_tell_them(
    world: World, request: pytest.FixtureRequest, field: str, kind: str
) -> None:
    if not isinstance(world, S3World):
        pytest.skip("the twin has no keys")
    expect_miss(request, world, "wrong keys")
    keys = {"access_key": world.access.access_key, "secret_key": world.access.secret_key}
    wrong: dict[str, Any] = {**keys, field: "not-this-one"}
    stranger = S3ObjectStore(replace(world.access, profile="stranger", **wrong))
    with pytest.raises(AccessDenied, match=kind) as refused:
        stranger.check(world.bucket)
    assert world.bucket in str(refused.value)
    assert "profile stranger" in str(refused.value)
    assert "not-this-one" not in str(refused.value)
    stranger.close()


def test_scan_yields_a_prefix_in_key_order_across_pages(world: World) -> None:
    keys = [f"p/{number:04}" for number in range(1050)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda key: world.store.put(world.at(key), key.encode()), ["o", "q", *keys]))
    found = list(world.store.scan(world.bucket, "p/"))
    assert [stat.key for stat in found] == keys
    assert found[7] == ObjectStat("p/0007", 6, hashlib.md5(b"p/0007").hexdigest())
    assert [stat.key for stat in world.store.scan(world.bucket, "p/", "p/0021")] == keys[22:]
    assert [stat.key for stat in world.store.scan(world.bucket, "p/", "p/1049")] == []
    world.store.delete(world.bucket, keys)
    assert set(world.content()) == {str(world.at("o")), str(world.at("q"))}


def test_every_key_is_written_listed_copied_read_and_removed(world: World) -> None:
    for key in ODD_KEYS:
        stat = stored(world, world.at(key), key.encode())
        assert world.store.copy(world.at(key), world.beside(f"to/{key}"), stat)
    expected = {str(world.at(key)): key.encode() for key in ODD_KEYS}
    copies = {str(world.beside(f"to/{key}")): key.encode() for key in ODD_KEYS}
    assert world.content() == expected | copies
    assert [stat.key for stat in world.store.scan(world.bucket, "")] == sorted(ODD_KEYS)
    for key in ODD_KEYS:
        assert world.store.digest(world.at(key)) == hashlib.sha256(key.encode()).hexdigest()
    world.store.delete(world.bucket, ODD_KEYS)
    assert world.content() == copies


@pytest.mark.parametrize("key", ["a/", "a//b", "a/./b/../c"])
def test_a_key_is_no_path(world: World, request: pytest.FixtureRequest, key: str) -> None:
    expect_miss(request, world, "keys like paths")
    stat = stored(world, world.at(key), b"1")
    assert world.store.copy(world.at(key), world.beside(key), stat)
    assert world.content() == {str(world.at(key)): b"1", str(world.beside(key)): b"1"}


def test_delete_takes_absent_keys(world: World) -> None:
    world.store.put(world.at("a"), b"1")
    world.store.delete(world.bucket, ["a", "none"])
    world.store.delete(world.bucket, [])
    assert world.content() == {}


@pytest.mark.parametrize("size", [0, 1, 65_536, 5 * MIB])
def test_copy_stores_the_same_bytes(world: World, size: int) -> None:
    body = LARGE[:size]
    stat = stored(world, world.at("from"), body)
    assert world.store.copy(world.at("from"), world.beside("to"), stat)
    assert world.content() == {str(world.at("from")): body, str(world.beside("to")): body}
    assert listed(world, world.beside("to")).etag == stat.etag


def test_a_second_profile_copies_what_the_first_wrote(world: World) -> None:
    second = world.second_profile()
    assert second.endpoint == world.store.endpoint
    stat = stored(world, world.at("from"), b"1")
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
    stat = stored(world, world.at("from"), LARGE[:size])
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
    expect_miss(request, world, "absent target bucket")
    stat = stored(world, world.at("from"), b"1")
    with pytest.raises(ObjectMissing, match="bucket b-nowhere"):
        world.store.copy(world.at("from"), Location("b-nowhere", "to"), stat)


def test_a_large_object_is_copied_in_parts(world: World) -> None:
    stat = stored(world, world.at("from"), LARGE)
    answers = iter([True] * 3)  # asked more often it raises StopIteration
    assert world.store.copy(world.at("from"), world.beside("to"), stat, lambda: next(answers))
    assert list(answers) == []
    assert world.content() == {str(world.at("from")): LARGE, str(world.beside("to")): LARGE}
    assert listed(world, world.beside("to")).size == stat.size
    assert world.unfinished() == []


@pytest.mark.parametrize("asked_before_no", [0, 1, 2])
def test_a_copy_in_parts_that_may_not_go_on_leaves_nothing(world: World, asked_before_no: int) -> None:
    stat = stored(world, world.at("from"), LARGE)
    answers = iter([True] * asked_before_no + [False])
    assert world.store.copy(world.at("from"), world.beside("to"), stat, lambda: next(answers)) is False
    assert set(world.content()) == {str(world.at("from"))}
    assert world.unfinished() == []


def test_an_error_in_go_on_leaves_nothing_and_is_raised(world: World) -> None:
    stat = stored(world, world.at("from"), LARGE)
    with pytest.raises(ZeroDivisionError):
        world.store.copy(world.at("from"), world.beside("to"), stat, lambda: bool(1 // 0))
    assert set(world.content()) == {str(world.at("from"))}
    assert world.unfinished() == []


def test_a_copy_whose_upload_somebody_aborts_may_be_tried_again(world: World) -> None:
    stat = stored(world, world.at("from"), LARGE)

    def abort() -> bool:
        world.store.abort_uploads(world.other, "")
        return True

    with pytest.raises(StoreUnavailable, match=f"s3://{world.other}/to"):
        world.store.copy(world.at("from"), world.beside("to"), stat, abort)
    assert set(world.content()) == {str(world.at("from"))}
    assert world.store.copy(world.at("from"), world.beside("to"), stat)
    assert world.content()[str(world.beside("to"))] == LARGE


def test_abort_uploads_ends_those_below_the_prefix(world: World) -> None:
    for key in ("p/a", "p/b", "p/b", "q"):
        world.begin_upload(world.at(key))
    assert world.store.abort_uploads(world.bucket, "p/") == 3
    assert world.store.abort_uploads(world.bucket, "p/") == 0
    assert world.unfinished() == ["q"]


@pytest.mark.parametrize("size", [0, 1, 70_000, 16 * MIB])
def test_receive_stores_the_bytes_of_another_endpoint(world: World, elsewhere: World, size: int) -> None:
    stat = stored(elsewhere, elsewhere.at("from #1"), LARGE[:size])
    assert world.store.endpoint != elsewhere.store.endpoint
    world.store.receive(elsewhere.store, elsewhere.at("from #1"), world.at("to +1"), stat)
    assert world.content() == {str(world.at("to +1")): LARGE[:size]}
    assert listed(world, world.at("to +1")).size == size
    assert world.unfinished() == []


def test_receive_takes_stores_of_another_kind(world: World) -> None:
    twin = MemoryWorld()
    stat = stored(twin, twin.at("from"), b"body")
    world.store.receive(twin.store, twin.at("from"), world.at("to"), stat)
    twin.store.put(twin.at("from"), b"soul")
    with pytest.raises(ObjectMismatch, match=f"s3://{twin.bucket}/from has changed"):
        world.store.receive(twin.store, twin.at("from"), world.at("again"), stat)
    assert world.content() == {str(world.at("to")): b"body"}


@pytest.mark.parametrize("size", [100, 16 * MIB])
def test_receive_refuses_a_source_that_changed(world: World, elsewhere: World, size: int) -> None:
    stat = stored(elsewhere, elsewhere.at("from"), LARGE[:size])
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


def test_errors_of_a_store_are_those_of_a_restore(world: World) -> None:
    with pytest.raises(RestoreError):
        world.store.put(Location("no bucket has such a name", "k"), b"")


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
    assert world.store.copy(at, world.beside("to"), listed(world, at))
    world.store.receive(world.second_profile(), at, world.beside("received"), listed(world, at))
    for key in ("to", "received"):
        head = world.client.head_object(Bucket=world.other, Key=key)
        assert (head["ContentType"], head["Metadata"]) == ("text/x-log", {"writer": "milvus"})
