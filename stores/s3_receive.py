"""Objects streamed from another store, in bounded memory and proved at both ends."""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from restore.errors import ObjectMismatch, StoreUnavailable
from stores.parts import PartRule
from stores.ports import Edit, Location, ObjectStat
from stores.s3_connection import Connection, assure_listed, unquoted
from stores.s3_upload import Upload, inherited
from stores.summed_body import Passage, SummedBody

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef


MADE_FROM = "restored-from-etag"
"""The user metadata of an object that an edit made: the ETag of the source that was read."""

_Send = Callable[[Mapping[str, Any], IO[bytes]], str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was sent, and the ETag that the target's store was to answer and the one that it answered."""

    sums: Passage
    expected: str
    answered: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """Streams objects of `origin` here; a refused or lost request repeats the pair of GET and PUT.

    With an `edit` the target has other first bytes, and tells in its metadata what it was made from.
    """

    connection: Connection
    origin: Connection
    rule: PartRule
    edit: Edit | None = None

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
        read, sent = arrival.sums.read, arrival.sums.sent.sha256.hexdigest()
        md5, sha256 = read.md5.hexdigest(), read.sha256.hexdigest()
        # An ETag that is not the content's MD5 is no proof of a difference: reading again decides. That of a
        # multipart source says nothing; what was read is of one version and as long as announced.
        if "-" not in stat.etag and stat.etag != md5 and self.origin.digest(source) != sha256:
            raise ObjectMismatch(f"{source} was read with SHA-256 {sha256}, another reading differs")
        if arrival.answered != arrival.expected and self.connection.digest(target) != sent:
            raise ObjectMismatch(f"{target} differs from what was sent from {source}, SHA-256 {sent}")

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
                    **self._inherited(answer, stat),
                ),
            )
            return unquoted(stored.get("ETag"))

        body, answered = self._pair(source, stat, None, self._sums(), put)
        return Arrival(body.sums, body.sums.sent.md5.hexdigest(), answered)

    def _in_parts(self, source: Location, target: Location, stat: ObjectStat) -> Arrival:
        sums, parts, digests = self._sums(), list["CompletedPartTypeDef"](), b""
        like = self._inherited(self.origin.listed(source, stat), stat)
        with Upload.begin(self.connection, target, like) as upload:
            for number, first, last in self.rule.ranges(stat.size):
                send = _part_sender(upload, number, last + 1 - first)
                body, etag = self._pair(source, stat, (first, last), sums, send)
                sums, digests = body.sums, digests + body.part.digest()
                parts.append({"PartNumber": number, "ETag": etag})
            answered = upload.complete(parts, stat)
        whole = hashlib.md5(digests, usedforsecurity=False).hexdigest()
        return Arrival(sums, f"{whole}-{len(parts)}", answered)

    def _pair(
        self, source: Location, stat: ObjectStat, span: tuple[int, int] | None, sums: Passage, send: _Send
    ) -> tuple[SummedBody, str]:
        """Return the body that was sent, with the sums up to its end, and the ETag answered for it."""
        return self.connection.retry.run(lambda: self._once(source, stat, span, sums, send))

    def _once(
        self, source: Location, stat: ObjectStat, span: tuple[int, int] | None, sums: Passage, send: _Send
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
            if self.edit and (span is None or span[0] == 0):
                self._edit(body, source, self.edit)
            etag = send(answer, cast("IO[bytes]", body))  # all that a request's body needs is read()
        if body.size != length:
            raise StoreUnavailable(f"the store took {body.size} of {length} bytes of {source}")
        return body, etag

    def _edit(self, body: SummedBody, source: Location, edit: Edit) -> None:
        """Change the first bytes before a request is sent, within which the edit's errors would be lost."""
        self.origin.once("GetObject", source, lambda _: body.edit(edit))

    def _sums(self) -> Passage:
        return Passage.begin(edited=self.edit is not None)

    def _inherited(self, answer: Mapping[str, Any], stat: ObjectStat) -> dict[str, Any]:
        """What the target is to have of its source, and which state of the source was edited."""
        like = inherited(answer)
        if self.edit:
            like["Metadata"] = {**like.get("Metadata", {}), MADE_FROM: stat.etag}
        return like


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
