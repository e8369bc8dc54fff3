"""The contract of ObjectStore, held by the twin and by two S3 servers."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from restore.errors import AccessDenied, ObjectMissing, RestoreError
from stores.ports import Location, ObjectStat
from stores.s3 import S3ObjectStore
from tests.stores.object_worlds import LARGE, S3World, World

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


@pytest.mark.parametrize("body", [b"", b"x", b"\x00\r\n" * 5000])
def test_what_was_put_is_got(world: World, body: bytes) -> None:
    world.store.put(world.at("a/b"), body)
    assert world.store.get(world.at("a/b")) == body
    assert world.content() == {str(world.at("a/b")): body}


def test_a_part_is_read_by_its_place(world: World) -> None:
    world.store.put(world.at("a"), b"0123456789")
    assert world.store.read(world.at("a"), 3, 4) == b"3456"
    assert world.store.read(world.at("a"), 8, 17) == b"89"
    with pytest.raises(ObjectMissing, match=f"s3://{world.bucket}/none"):
        world.store.read(world.at("none"), 0, 1)


def test_put_replaces(world: World) -> None:
    world.store.put(world.at("a"), b"old and long")
    world.store.put(world.at("a"), b"new")
    assert world.content() == {str(world.at("a")): b"new"}


def test_stat_tells_size_and_bare_etag(world: World) -> None:
    stat = world.stored(world.at("a"), b"hello")
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
    world.expect_miss("wrong keys", request)
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
        stat = world.stored(world.at(key), key.encode())
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
    world.expect_miss("keys like paths", request)
    stat = world.stored(world.at(key), b"1")
    assert world.store.copy(world.at(key), world.beside(key), stat)
    assert world.content() == {str(world.at(key)): b"1", str(world.beside(key)): b"1"}


def test_delete_takes_absent_keys(world: World) -> None:
    world.store.put(world.at("a"), b"1")
    world.store.delete(world.bucket, ["a", "none"])
    world.store.delete(world.bucket, [])
    assert world.content() == {}


def test_abort_uploads_ends_those_below_the_prefix(world: World) -> None:
    for key in ("p/a", "p/b", "p/b", "q"):
        world.begin_upload(world.at(key))
    assert world.store.abort_uploads(world.bucket, "p/") == 3
    assert world.store.abort_uploads(world.bucket, "p/") == 0
    assert world.unfinished() == ["q"]


def test_errors_of_a_store_are_those_of_a_restore(world: World) -> None:
    with pytest.raises(RestoreError):
        world.store.put(Location("no bucket has such a name", "k"), b"")
