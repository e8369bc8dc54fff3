"""Objects streamed from another store, in bounded memory and proved at both ends."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from restore.errors import ObjectMismatch, StoreUnavailable
from stores.parts import PartRule
from stores.ports import Location, ObjectStat
from stores.s3_connection import Connection, assure_listed, unquoted
from stores.s3_upload import Upload, inherited

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef


class _Readable(Protocol):
    def read(self, amount: int | None = None, /) -> bytes: ...


class Sums:
    """The running hashes of what was read so far."""

    def __init__(self) -> None:
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.sha256 = hashlib.sha256()

    def copy(self) -> "Sums":
        """Return hashes that go on from here, so that a part can be read a second time."""
        twin = Sums()
        twin.md5, twin.sha256 = self.md5.copy(), self.sha256.copy()
        return twin


class SummedBody:
    """A request's body that is read from an answer's and hashed on its way; `part` is the MD5 of it alone."""

    def __init__(self, stream: _Readable, sums: Sums) -> None:
        self._stream = stream
        self.sums = sums
        self.part = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def read(self, amount: int | None = None) -> bytes:
        """Return the next bytes, none at the end; the answer's stream raises when it ends early."""
        chunk = self._stream.read(amount)
        for running in (self.sums.md5, self.sums.sha256, self.part):
            running.update(chunk)
        self.size += len(chunk)
        return chunk


_Send = Callable[[Mapping[str, Any], IO[bytes]], str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was sent, and the ETag that the target's store was to answer and the one that it answered."""

    sums: Sums
    expected: str
    answered: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """Streams objects of `origin` here; a refused or lost request repeats the pair of GET and PUT."""

    connection: Connection
    origin: Connection
    rule: PartRule

    def receive(self, source: Location, target: Location, stat: ObjectStat) -> None:
        """Do what ObjectStore.receive says. Content type and user metadata are the source's."""
        try:
            self._carry(source, target, stat)
        except ObjectMismatch:
            # Bytes are rarely damaged on the way; a second mismatch is the object's own.
            self._carry(source, target, stat)

    def _carry(self, source: Location, target: Location, stat: ObjectStat) -> None:
        whole = stat.size <= self.rule.threshold
        arrival = self._in_one(source, target, stat) if whole else self._in_parts(source, target, stat)
        md5, sha256 = arrival.sums.md5.hexdigest(), arrival.sums.sha256.hexdigest()
        # An ETag that is not the content's MD5 is no proof of a difference: reading again decides. That of a
        # multipart source says nothing; what was read is of one version and as long as announced.
        if "-" not in stat.etag and stat.etag != md5 and self.origin.digest(source) != sha256:
            raise ObjectMismatch(f"{source} was read with SHA-256 {sha256}, another reading differs")
        if arrival.answered != arrival.expected and self.connection.digest(target) != sha256:
            raise ObjectMismatch(f"{target} differs from its source {source}, whose SHA-256 is {sha256}")

    def _in_one(self, source: Location, target: Location, stat: ObjectStat) -> Arrival:
        def put(answer: Mapping[str, Any], body: IO[bytes]) -> str:
            stored = self.connection.once(
                "PutObject",
                target,
                lambda client: client.put_object(
                    Bucket=target.bucket,
                    Key=target.key,
                    Body=body,
                    ContentLength=stat.size,
                    **inherited(answer),
                ),
            )
            return unquoted(stored.get("ETag"))

        body, answered = self._pair(source, stat, None, Sums(), put)
        return Arrival(body.sums, body.sums.md5.hexdigest(), answered)

    def _in_parts(self, source: Location, target: Location, stat: ObjectStat) -> Arrival:
        sums, parts, digests = Sums(), list["CompletedPartTypeDef"](), b""
        with Upload.begin(self.connection, target, self.origin.listed(source, stat)) as upload:
            for number, first, last in self.rule.ranges(stat.size):
                send = _part_sender(upload, number, last + 1 - first)
                body, etag = self._pair(source, stat, (first, last), sums, send)
                sums, digests = body.sums, digests + body.part.digest()
                parts.append({"PartNumber": number, "ETag": etag})
            answered = upload.complete(parts, stat)
        whole = hashlib.md5(digests, usedforsecurity=False).hexdigest()
        return Arrival(sums, f"{whole}-{len(parts)}", answered)

    def _pair(
        self, source: Location, stat: ObjectStat, span: tuple[int, int] | None, sums: Sums, send: _Send
    ) -> tuple[SummedBody, str]:
        """Return the body that was sent, with the sums up to its end, and the ETag answered for it."""
        return self.connection.retry.run(lambda: self._once(source, stat, span, sums, send))

    def _once(
        self, source: Location, stat: ObjectStat, span: tuple[int, int] | None, sums: Sums, send: _Send
    ) -> tuple[SummedBody, str]:
        length = span[1] + 1 - span[0] if span else stat.size
        ranged: dict[str, Any] = {"Range": f"bytes={span[0]}-{span[1]}"} if span else {}
        answer = self.origin.once(
            "GetObject",
            source,
            lambda client: client.get_object(Bucket=source.bucket, Key=source.key, **ranged),
        )
        with closing(answer["Body"]) as stream:
            assure_listed(source, answer, stat, length)
            body = SummedBody(stream, sums.copy())
            etag = send(answer, cast("IO[bytes]", body))  # all that a request's body needs is read()
        if body.size != length:
            raise StoreUnavailable(f"the store took {body.size} of {length} bytes of {source}")
        return body, etag


def _part_sender(upload: Upload, number: int, length: int) -> _Send:
    def send(_: Mapping[str, Any], body: IO[bytes]) -> str:
        stored = upload.connection.once(
            "UploadPart",
            upload.at,
            lambda client: client.upload_part(
                Bucket=upload.at.bucket,
                Key=upload.at.key,
                UploadId=upload.id,
                PartNumber=number,
                Body=body,
                ContentLength=length,
            ),
        )
        return stored["ETag"]

    return send
