"""An object store in memory that behaves like S3: for tests and for trying things out."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import RLock

from restore.errors import ObjectMismatch, ObjectMissing, StoreUnavailable
from stores.parts import USUAL, PartRule
from stores.ports import Content, Edit, Location, ObjectStat, ObjectStore


@dataclass(frozen=True, slots=True)
class _Object:
    body: bytes
    etag: str
    made_from: str | None = None

    def stat(self, key: str) -> ObjectStat:
        return ObjectStat(key, len(self.body), self.etag)


@dataclass(slots=True)
class _Server:
    """What lies behind an endpoint: objects by bucket and key, and the places of unfinished uploads."""

    lock: RLock = field(default_factory=RLock)
    buckets: dict[str, dict[str, _Object]] = field(default_factory=dict)
    uploads: dict[int, Location] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)


class MemoryObjectStore:
    """The ObjectStore twin. Thread-safe.

    With `beside` it has that store's endpoint and content, as a second profile of one server has.
    """

    def __init__(
        self,
        *buckets: str,
        profile: str = "default",
        endpoint: str = "memory://local",
        rule: PartRule = USUAL,
        beside: "MemoryObjectStore | None" = None,
    ) -> None:
        self.profile = profile
        self.endpoint: str = beside.endpoint if beside else endpoint
        self._rule = rule
        self._server: _Server = beside._server if beside else _Server()
        for bucket in buckets:
            self.add_bucket(bucket)

    def add_bucket(self, name: str) -> None:
        """Have the bucket, empty when it is new."""
        with self._server.lock:
            self._server.buckets.setdefault(name, {})

    def check(self, bucket: str) -> None:
        """Return when the bucket exists, else raise ObjectMissing."""
        self._bucket(bucket)

    def check_writable(self, at: Location) -> None:
        """Return when the bucket exists, else raise ObjectMissing."""
        self._bucket(at.bucket)

    def get(self, at: Location) -> bytes:
        """Return the object's bytes; ObjectMissing when it is absent."""
        return self._object(at).body

    def read(self, at: Location, start: int, length: int) -> bytes:
        """Return the bytes from an offset within the object on, at most `length`; ObjectMissing if absent."""
        return self._object(at).body[start : start + length]

    def put(self, at: Location, body: bytes) -> None:
        """Store the object, replacing what is there."""
        with self._server.lock:
            self._bucket(at.bucket)[at.key] = _Object(bytes(body), _md5(body))

    def stat(self, at: Location) -> ObjectStat | None:
        """Return size and ETag, or None when the object or its bucket is absent."""
        with self._server.lock:
            found = self._server.buckets.get(at.bucket, {}).get(at.key)
        return found.stat(at.key) if found else None

    def scan(self, bucket: str, prefix: str, start_after: str = "") -> Iterator[ObjectStat]:
        """Yield every object below the prefix in key order, as of the moment of the first."""
        with self._server.lock:
            found = sorted(self._bucket(bucket).items())
        for key, there in found:
            if key.startswith(prefix) and key > start_after:
                yield there.stat(key)

    def copy(
        self, source: Location, target: Location, stat: ObjectStat, go_on: Callable[[], bool] = lambda: True
    ) -> bool:
        """Copy inside the store; True when the target is complete.

        Raises ObjectMissing when the source or a bucket is absent, ObjectMismatch when the source is not as
        listed. Above the part rule's threshold `go_on` is asked before each part; after a False nothing is
        at the target, and the answer is False.
        """
        if stat.size <= self._rule.threshold:
            with self._server.lock:
                self._bucket(target.bucket)[target.key] = self._listed(source, stat)
            return True
        return self._copy_in_parts(source, target, stat, go_on)

    def receive(
        self,
        origin: ObjectStore,
        source: Location,
        target: Location,
        stat: ObjectStat,
        edit: Edit | None = None,
    ) -> None:
        """Hold a copy of another store's object, or what an edit makes of an object.

        Raises ObjectMissing when it is absent, ObjectMismatch when it is not as listed.
        """
        body, now = origin.get(source), origin.stat(source)
        if now is None or (now.etag, len(body)) != (stat.etag, stat.size):
            raise ObjectMismatch(f"{source} has changed: {now} was found, {stat} expected")
        made = _edited(body, edit)
        with self._server.lock:
            self._bucket(target.bucket)[target.key] = _Object(made, _md5(made), stat.etag if edit else None)

    def made_from(self, at: Location) -> str | None:
        """Return the ETag of the source that the object was made from with an edit; None for any other."""
        with self._server.lock:
            found = self._server.buckets.get(at.bucket, {}).get(at.key)
        return found.made_from if found else None

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove the objects; absent ones are no error."""
        with self._server.lock:
            there = self._bucket(bucket)
            for key in keys:
                there.pop(key, None)

    def begin_upload(self, at: Location) -> int:
        """Return a multipart upload that stays until somebody ends it, as those of a killed worker do."""
        with self._server.lock:
            self._bucket(at.bucket)
            number = next(self._server.numbers)
            self._server.uploads[number] = at
            return number

    def abort_uploads(self, bucket: str, prefix: str) -> int:
        """Abort unfinished multipart uploads below the prefix and return their number."""
        with self._server.lock:
            self._bucket(bucket)
            uploads = self._server.uploads
            ended = [n for n, at in uploads.items() if at.bucket == bucket and at.key.startswith(prefix)]
            for number in ended:
                del uploads[number]
            return len(ended)

    def unfinished(self, bucket: str, prefix: str) -> Iterator[str]:
        """Yield the key of every unfinished multipart upload below the prefix."""
        with self._server.lock:
            self._bucket(bucket)
            open_ones = list(self._server.uploads.values())
        return (at.key for at in open_ones if at.bucket == bucket and at.key.startswith(prefix))

    def digest(self, at: Location) -> str:
        """Return the hex SHA-256 of the object's bytes; ObjectMissing when absent."""
        return hashlib.sha256(self.get(at)).hexdigest()

    def content(self, at: Location, edit: Edit | None = None) -> Content:
        """Return state and hashes of the object, after an edit; ObjectMissing when absent."""
        found = self._object(at)
        body = _edited(found.body, edit)
        return Content(found.stat(at.key), hashlib.sha256(body).hexdigest(), _md5(body))

    def _copy_in_parts(
        self, source: Location, target: Location, stat: ObjectStat, go_on: Callable[[], bool]
    ) -> bool:
        self._listed(source, stat)
        upload = self.begin_upload(target)
        try:
            parts = []
            for _, first, last in self._rule.ranges(stat.size):
                if not go_on():
                    return False
                parts.append(self._listed(source, stat).body[first : last + 1])
            self._complete(upload, target, parts)
        finally:
            with self._server.lock:
                self._server.uploads.pop(upload, None)
        return True

    def _complete(self, upload: int, target: Location, parts: Sequence[bytes]) -> None:
        digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
        with self._server.lock:
            if upload not in self._server.uploads:
                raise StoreUnavailable(f"the upload of {target} was aborted by somebody else")
            whole = _Object(b"".join(parts), f"{_md5(digests)}-{len(parts)}")
            self._bucket(target.bucket)[target.key] = whole

    def _bucket(self, name: str) -> dict[str, _Object]:
        with self._server.lock:
            if name not in self._server.buckets:
                raise ObjectMissing(
                    f"bucket {name} does not exist at {self.endpoint}, profile {self.profile}"
                )
            return self._server.buckets[name]

    def _object(self, at: Location) -> _Object:
        with self._server.lock:
            found = self._bucket(at.bucket).get(at.key)
        if found is None:
            raise ObjectMissing(f"{at} does not exist at {self.endpoint}, profile {self.profile}")
        return found

    def _listed(self, source: Location, stat: ObjectStat) -> _Object:
        found = self._object(source)
        if (found.etag, len(found.body)) != (stat.etag, stat.size):
            raise ObjectMismatch(f"{source} has changed: {found.stat(source.key)} was found, {stat} expected")
        return found


def _edited(body: bytes, edit: Edit | None) -> bytes:
    return edit(body[: edit.length]) + body[edit.length :] if edit else body


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
