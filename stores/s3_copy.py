"""Copies that the server makes by itself, in one request or in parts."""

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from restore.errors import AccessDenied, ObjectMismatch, ObjectMissing, StoreUnavailable
from stores.parts import PartRule
from stores.ports import Location, ObjectStat
from stores.s3_connection import Connection, unquoted
from stores.s3_errors import code
from stores.s3_upload import Upload
from stores.threads import Threads

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, CopySourceTypeDef

PARTS_AT_ONCE = 8  # of all objects of a store together; where disks are the limit more parts gain nothing

_Part = tuple[int, int, int]


class Copier:
    """Copies objects inside one store; thread-safe. Its threads copy the parts of large objects."""

    def __init__(self, connection: Connection, rule: PartRule) -> None:
        self._connection = connection
        self._rule = rule
        self._threads = Threads(PARTS_AT_ONCE, thread_name_prefix="copy-part")

    def copy(self, source: Location, target: Location, stat: ObjectStat, go_on: Callable[[], bool]) -> bool:
        """Do what ObjectStore.copy says. Content type and user metadata are the source's."""
        try:
            if stat.size <= self._rule.threshold:
                self._in_one(source, target, stat)
                return True
            return self._in_parts(source, target, stat, go_on)
        except ObjectMissing as missing:
            if code(missing) == "NoSuchBucket":
                self._name_absent_bucket(target, source)
            raise

    def close(self) -> None:
        """End the threads once their parts are done."""
        self._threads.shutdown()

    def _in_one(self, source: Location, target: Location, stat: ObjectStat) -> None:
        answer = self._connection.ask(
            "CopyObject",
            source,
            lambda client: client.copy_object(
                Bucket=target.bucket,
                Key=target.key,
                CopySource=_named(source),
                CopySourceIfMatch=f'"{stat.etag}"',
            ),
            to=target,
        )
        # Equal ETags prove the copy without a further request. Others are no proof of a difference: an
        # encrypted copy, or one of a multipart object, has an ETag of its own.
        if unquoted(answer.get("CopyObjectResult", {}).get("ETag")) != stat.etag:
            self._connection.listed(source, stat)
            self._assure_size(target, stat)

    def _in_parts(
        self, source: Location, target: Location, stat: ObjectStat, go_on: Callable[[], bool]
    ) -> bool:
        with Upload.begin(self._connection, target, self._connection.listed(source, stat)) as upload:
            parts = self._copy_parts(upload, source, stat, go_on)
            if parts is None:
                upload.abort()
                return False
            # Servers that ignore the condition on a part may have copied two versions of the source.
            self._connection.listed(source, stat)
            upload.complete(parts, stat)
        self._assure_size(target, stat)
        return True

    def _copy_parts(
        self, upload: Upload, source: Location, stat: ObjectStat, go_on: Callable[[], bool]
    ) -> "list[CompletedPartTypeDef] | None":
        """Return the finished parts, or None when told not to go on; no part is in flight afterwards."""
        running: set[Future[CompletedPartTypeDef]] = set()
        done: list[CompletedPartTypeDef] = []
        copy = partial(self._copy_part, upload, source, stat)
        try:
            for part in self._rule.ranges(stat.size):
                if len(running) == PARTS_AT_ONCE:
                    finished, running = wait(running, return_when=FIRST_COMPLETED)
                    done += [future.result() for future in finished]
                # Asked in the caller's thread, where the caller's context is.
                if not go_on():
                    return None
                running.add(self._threads.submit(copy, part))
            done += [future.result() for future in running]
        finally:
            for future in running:
                future.cancel()
            wait(running)
        return sorted(done, key=lambda part: part["PartNumber"])

    def _copy_part(
        self, upload: Upload, source: Location, stat: ObjectStat, part: _Part
    ) -> "CompletedPartTypeDef":
        number, first, last = part

        def send(client: "S3Client") -> str:
            answer = client.upload_part_copy(
                Bucket=upload.at.bucket,
                Key=upload.at.key,
                UploadId=upload.id,
                PartNumber=number,
                CopySource=_named(source),
                CopySourceIfMatch=f'"{stat.etag}"',
                CopySourceRange=f"bytes={first}-{last}",
            )
            etag = answer.get("CopyPartResult", {}).get("ETag")
            if not etag:
                raise StoreUnavailable(f"the answer to part {number} of {upload.at} says nothing of a copy")
            return etag

        return {"PartNumber": number, "ETag": self._connection.ask("UploadPartCopy", source, send, upload.at)}

    def _assure_size(self, target: Location, stat: ObjectStat) -> None:
        head = self._connection.head(target)
        found = f"{head['ContentLength']} bytes" if head else "nothing"
        if found != f"{stat.size} bytes":
            raise ObjectMismatch(f"{found} is at {target} after its copy, {stat.size} bytes were copied")

    def _name_absent_bucket(self, *places: Location) -> None:
        """Raise ObjectMissing for the bucket that is absent: the answer to a copy may name the other one."""
        for bucket in (place.bucket for place in places):
            with suppress(AccessDenied, StoreUnavailable):  # then the first answer has to do
                self._connection.ask("ListObjectsV2", bucket, partial(_look_into, bucket))


def _look_into(bucket: str, client: "S3Client") -> object:
    return client.list_objects_v2(Bucket=bucket, MaxKeys=1)


def _named(source: Location) -> "CopySourceTypeDef":
    # As a mapping, botocore quotes it whole: in a text it would take `?versionId=` in a key for a version.
    return {"Bucket": source.bucket, "Key": source.key}
