"""Contents that rot in silence, which no listing shows."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from restore.certificate import ProvedObject
from stores.memory_objects import MemoryObjectStore
from stores.ports import Location
from stores.restored_contents import Origin, RestoredContents

KEY, SOURCE = "files/insert_log/1/2/3/100/4", "files/insert_log/9/9/9/100/4"
GOOD, ROTTEN = b"good", b"rot!"
MD5, SHA256 = hashlib.md5(GOOD).hexdigest(), hashlib.sha256(GOOD).hexdigest()
PARTS = f"{MD5}-2"


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def proved(etag: str = MD5, sha256: str | None = None) -> ProvedObject:
    return ProvedObject(key=KEY, size=4, etag=etag, sha256=sha256, proof="sha256" if sha256 else "etag")


def read(
    threads: Executor, object_: ProvedObject, body: bytes, source: bytes | None
) -> tuple[str, str | None]:
    """What the content was compared with, and the reason where it is damaged."""
    store = MemoryObjectStore("to", "from")
    store.put(Location("to", KEY), body)
    if source is not None:
        store.put(Location("from", SOURCE), source)
    origin = Origin(store, "from", {KEY: SOURCE})
    ((_, means, finding),) = RestoredContents(store, "to").read([object_], origin, threads)
    return means, finding.reason if finding else None


@pytest.mark.parametrize("source", [None, GOOD, ROTTEN])
def test_a_recorded_hash_decides_whatever_the_source_is(threads: Executor, source: bytes | None) -> None:
    assert read(threads, proved(PARTS, SHA256), GOOD, source) == ("sha256", None)
    means, reason = read(threads, proved(PARTS, SHA256), ROTTEN, source)
    assert (means, reason is not None and SHA256[:16] in reason) == ("sha256", True)


def test_the_source_speaks_where_no_hash_was_recorded(threads: Executor) -> None:
    assert read(threads, proved(PARTS), GOOD, GOOD) == ("source", None)
    means, reason = read(threads, proved(PARTS), ROTTEN, GOOD)
    assert (means, reason is not None and "its source's" in reason) == ("source", True)


def test_a_source_that_is_another_by_now_does_not_speak_against_the_recorded_md5(threads: Executor) -> None:
    assert read(threads, proved(), GOOD, ROTTEN) == ("etag", None)
    assert read(threads, proved(), GOOD, None) == ("etag", None)
    means, reason = read(threads, proved(), ROTTEN, None)
    assert (means, reason is not None and MD5 in reason) == ("etag", True)


def test_without_any_witness_nothing_is_claimed(threads: Executor) -> None:
    assert read(threads, proved(PARTS), ROTTEN, None) == ("nothing", None)


def test_what_vanishes_meanwhile_is_damage(threads: Executor) -> None:
    store = MemoryObjectStore("to")
    ((_, means, finding),) = RestoredContents(store, "to").read([proved()], None, threads)
    assert (means, finding is not None and finding.verdict) == ("nothing", "damaged")
