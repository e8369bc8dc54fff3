"""Object storage that speaks S3."""

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Self

from restore.errors import ObjectMismatch, StoreUnavailable
from stores.parts import USUAL, PartRule
from stores.ports import Content, Edit, Location, ObjectStat, ObjectStore
from stores.retry import PATIENT, Retry
from stores.s3_check import check_bucket
from stores.s3_connection import Access, Connection, unquoted
from stores.s3_copy import PARTS_AT_ONCE, Copier
from stores.s3_receive import MADE_FROM, Receiver
from stores.s3_upload import Upload

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import (
        ErrorTypeDef,
        ListMultipartUploadsOutputTypeDef,
        ListObjectsV2OutputTypeDef,
        ObjectIdentifierTypeDef,
    )

_KEYS_A_REQUEST = 1000  # S3's limit for DeleteObjects


class S3ObjectStore:
    """An ObjectStore over boto3 with one shared client; thread-safe.

    Every call is repeated within the budget of `retry`, so that a copy, put or delete may happen twice.
    """

    def __init__(self, access: Access, *, retry: Retry = PATIENT, rule: PartRule = USUAL) -> None:
        self.profile = access.profile
        self._access = access
        self._connection = Connection(access, retry)
        self.endpoint = self._connection.endpoint
        self._rule = rule
        self._copier = Copier(self._connection, rule)

    @classmethod
    def connect(
        cls,
        profile: str,
        *,
        endpoint: str | None,
        region: str,
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        pool: int = 64,
    ) -> Self:
        """Return a store for up to `pool` calling threads; nothing is sent yet.

        Without an endpoint it is AWS S3, without keys the AWS chain finds them. Raises InvalidRequest when
        the endpoint is no URL.
        """
        # The parts of large copies have threads of their own.
        connections = pool + PARTS_AT_ONCE
        return cls(Access(profile, endpoint, region, access_key, secret_key, session_token, connections))

    def check(self, bucket: str) -> None:
        """Return when the bucket exists and may be listed; answers within 6 s.

        Raises ObjectMissing when it is absent, AccessDenied when the keys are refused or nothing answers.
        """
        check_bucket(self._access, bucket)

    def check_writable(self, at: Location) -> None:
        """Return when an object may be stored there, else raise AccessDenied; nothing is left there.

        A multipart upload is begun, which asks for the same right as storing does, and aborted.
        """
        Upload.begin(self._connection, at, {}).abort()

    def get(self, at: Location) -> bytes:
        """Return the object's bytes; ObjectMissing when it is absent."""

        def read(client: "S3Client") -> bytes:
            with closing(client.get_object(Bucket=at.bucket, Key=at.key)["Body"]) as body:
                return body.read()

        return self._connection.ask("GetObject", at, read)

    def read(self, at: Location, start: int, length: int) -> bytes:
        """Return the bytes from an offset within the object on, at most `length`; ObjectMissing if absent."""
        span = f"bytes={start}-{start + length - 1}"

        def read(client: "S3Client") -> bytes:
            with closing(client.get_object(Bucket=at.bucket, Key=at.key, Range=span)["Body"]) as body:
                return body.read()

        return self._connection.ask("GetObject", at, read)

    def put(self, at: Location, body: bytes) -> None:
        """Store the object, replacing what is there; the store compares its MD5 on arrival."""
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode()
        self._connection.ask(
            "PutObject",
            at,
            lambda client: client.put_object(Bucket=at.bucket, Key=at.key, Body=body, ContentMD5=digest),
        )

    def stat(self, at: Location) -> ObjectStat | None:
        """Return size and ETag, or None when the object or its bucket is absent."""
        head = self._connection.head(at)
        return head and ObjectStat(at.key, head["ContentLength"], unquoted(head.get("ETag")))

    def scan(self, bucket: str, prefix: str, start_after: str = "") -> Iterator[ObjectStat]:
        """Yield every object below the prefix in key order, a page of 1,000 at a time."""
        from_here: dict[str, Any] = {"StartAfter": start_after} if start_after else {}
        while True:
            page = self._page(bucket, prefix, from_here)
            for entry in page.get("Contents", []):
                yield ObjectStat(entry["Key"], entry["Size"], unquoted(entry.get("ETag")))
            if not page.get("IsTruncated"):
                return
            from_here = {"ContinuationToken": page["NextContinuationToken"]}

    def copy(
        self, source: Location, target: Location, stat: ObjectStat, go_on: Callable[[], bool] = lambda: True
    ) -> bool:
        """Copy inside the store, whatever the size; True when the target is complete.

        Raises ObjectMissing when the source or a bucket is absent, ObjectMismatch when the source is not as
        listed. Above the part rule's threshold `go_on` is asked before each part, in the caller's thread;
        after a False nothing is at the target, and the answer is False.
        """
        return self._copier.copy(source, target, stat, go_on)

    def receive(
        self,
        origin: ObjectStore,
        source: Location,
        target: Location,
        stat: ObjectStat,
        edit: Edit | None = None,
    ) -> None:
        """Stream an object of another store to here in bounded memory, then compare size and hash.

        Raises ObjectMissing when the source or a bucket is absent, ObjectMismatch when the source is not as
        listed or the target not like it, and what the edit raises. A store that is not S3 is read whole,
        and what is made of its objects by an edit does not tell so.
        """
        if isinstance(origin, S3ObjectStore):
            Receiver(self._connection, origin._connection, self._rule, edit).receive(source, target, stat)
            return
        body, now = origin.get(source), origin.stat(source)
        if now is None or (now.etag, len(body)) != (stat.etag, stat.size):
            raise ObjectMismatch(f"{source} has changed: {now} was found, {stat} expected")
        self.put(target, edit(body[: edit.length]) + body[edit.length :] if edit else body)

    def made_from(self, at: Location) -> str | None:
        """Return the ETag of the source that the object was made from with an edit; None for any other."""
        head = self._connection.head(at)
        # Servers write the names of metadata in upper or lower case as they like.
        known = {name.lower(): value for name, value in head["Metadata"].items()} if head else {}
        return known.get(MADE_FROM)

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove the objects, 1,000 a request; absent ones are no error.

        Raises AccessDenied when the store keeps one of them, naming the first.
        """
        for first in range(0, len(keys), _KEYS_A_REQUEST):
            self._delete(bucket, keys[first : first + _KEYS_A_REQUEST])

    def abort_uploads(self, bucket: str, prefix: str) -> int:
        """Abort unfinished multipart uploads below the prefix and return their number.

        MinIO lists uploads by whole key only, so there a prefix finds none; it drops stale ones by itself.
        """
        uploads = list(self._uploads(bucket, prefix))
        return sum(upload.abort() for upload in uploads)

    def unfinished(self, bucket: str, prefix: str) -> Iterator[str]:
        """Yield the key of every unfinished multipart upload below the prefix, as far as it is listed."""
        return (upload.at.key for upload in self._uploads(bucket, prefix))

    def digest(self, at: Location) -> str:
        """Return the hex SHA-256 of the object's bytes, read as a stream; ObjectMissing when absent."""
        return self._connection.digest(at)

    def content(self, at: Location, edit: Edit | None = None) -> Content:
        """Return state and hashes of the object, read once as a stream; ObjectMissing when absent.

        With an edit the hashes are those of what it would make of the object.
        """
        return self._connection.content(at, edit)

    def close(self) -> None:
        """End the store's threads and close its idle connections; calls in flight are finished first."""
        self._copier.close()
        self._connection.close()

    def _page(self, bucket: str, prefix: str, from_here: dict[str, Any]) -> "ListObjectsV2OutputTypeDef":
        return self._connection.ask(
            "ListObjectsV2",
            bucket,
            lambda client: client.list_objects_v2(Bucket=bucket, Prefix=prefix, **from_here),
        )

    def _delete(self, bucket: str, keys: Sequence[str]) -> None:
        wanted: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys]

        def send(client: "S3Client") -> None:
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": wanted, "Quiet": True})
            kept = [error for error in answer.get("Errors", []) if error.get("Code") != "NoSuchKey"]
            if kept:
                raise self._kept(bucket, kept)

        self._connection.ask("DeleteObjects", bucket, send)

    def _kept(self, bucket: str, kept: "Sequence[ErrorTypeDef]") -> Exception:
        """Return the error for keys that the answer says are still there, a permanent one if there is any."""
        errors = [
            self._connection.refusal("DeleteObjects", Location(bucket, error["Key"]), error) for error in kept
        ]
        return next((error for error in errors if not isinstance(error, StoreUnavailable)), errors[0])

    def _uploads(self, bucket: str, prefix: str) -> Iterator[Upload]:
        from_here: dict[str, Any] = {}
        while True:
            page = self._upload_page(bucket, prefix, from_here)
            for entry in page.get("Uploads", []):
                yield Upload(self._connection, Location(bucket, entry["Key"]), entry["UploadId"])
            if not page.get("IsTruncated"):
                return
            from_here = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}

    def _upload_page(
        self, bucket: str, prefix: str, from_here: dict[str, Any]
    ) -> "ListMultipartUploadsOutputTypeDef":
        return self._connection.ask(
            "ListMultipartUploads",
            bucket,
            lambda client: client.list_multipart_uploads(Bucket=bucket, Prefix=prefix, **from_here),
        )
