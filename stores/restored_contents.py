"""Whether restored objects are in place, and whether their contents are what was proved."""

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from typing import NamedTuple

from restore.certificate import ProvedObject
from restore.errors import ObjectMissing, RestoreError
from restore.reproof import Finding, Means
from stores.in_flight import each_in_flight
from stores.inventory import Inventory
from stores.ports import Content, Location, ObjectStore

_MD5 = re.compile(r"[0-9a-f]{32}")

Read = tuple[ProvedObject, Means, Finding | None]


class Origin(NamedTuple):
    """Where objects were copied from: store, bucket, and source key by restored key."""

    objects: ObjectStore
    bucket: str
    keys: Mapping[str, str]


class RestoredContents:
    """Looks at the objects of one restore."""

    def __init__(self, objects: ObjectStore, bucket: str) -> None:
        self._objects = objects
        self._bucket = bucket

    def look(
        self, proved: list[ProvedObject], threads: Executor
    ) -> Iterator[tuple[ProvedObject, str | None]]:
        """Yield each object with what a listing shows to be wrong; None for recorded size and ETag."""
        keys = [each.key for each in proved]
        listed = Inventory.take(self._objects, self._bucket, keys, threads)
        there = listed.confirmed(self._objects, keys, threads).found
        for each in proved:
            stat = there.get(each.key)
            if stat is None:
                yield each, "it is absent"
            elif stat.size != each.size:
                yield each, f"it has {stat.size} bytes, {each.size} were proved"
            elif stat.etag != each.etag:
                yield each, f"its ETag is {stat.etag}, {each.etag} was proved"
            else:
                yield each, None

    def read(
        self, proved: Iterable[ProvedObject], origin: Origin | None, threads: Executor
    ) -> Iterator[Read]:
        """Yield each object with what its content was compared with, and a finding where it is another.

        Without an origin, or when the source is gone, only recorded hashes and ETags can speak.
        """
        return each_in_flight(threads, lambda each: self._read(each, origin), proved)

    def _read(self, proved: ProvedObject, origin: Origin | None) -> Read:
        try:
            content = self._objects.content(Location(self._bucket, proved.key))
        except ObjectMissing:
            return proved, "nothing", _damaged(proved, "it vanished while it was looked at")
        if proved.sha256 is not None:
            same = content.sha256 == proved.sha256
            return (
                proved,
                "sha256",
                None if same else _damaged(proved, _hashes(content, proved.sha256, "the proved one")),
            )
        by_etag = content.md5 == proved.etag if _MD5.fullmatch(proved.etag) else None
        source = _source_hash(proved, origin)
        if source == content.sha256:
            return proved, "source", None
        if by_etag is not None:
            # A source that is another by now says nothing against a content that has its recorded MD5.
            reason = f"its MD5 is {content.md5}, its proved ETag {proved.etag}"
            return proved, "etag", None if by_etag else _damaged(proved, reason)
        if source is not None:
            return proved, "source", _damaged(proved, _hashes(content, source, "its source's"))
        return proved, "nothing", None


def _source_hash(proved: ProvedObject, origin: Origin | None) -> str | None:
    if origin is None or proved.key not in origin.keys:
        return None
    try:
        return origin.objects.digest(Location(origin.bucket, origin.keys[proved.key]))
    except RestoreError:  # gone, or no longer to be read: then it cannot be asked
        return None


def _damaged(proved: ProvedObject, reason: str) -> Finding:
    return Finding(what="object", name=proved.key, verdict="damaged", reason=reason)


def _hashes(content: Content, expected: str, whose: str) -> str:
    return f"its SHA-256 is {content.sha256[:16]}…, {whose} {expected[:16]}…"
