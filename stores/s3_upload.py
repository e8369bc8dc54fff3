"""A multipart upload: parts that become an object in the moment of its completion."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from restore.errors import RestoreError, StoreUnavailable
from stores.ports import Location, ObjectStat
from stores.s3_connection import Connection, unquoted
from stores.s3_errors import UploadGone

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef

# What a new object does not inherit from its source by itself.
_INHERITED = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
)


def inherited(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a new object is to have of its source's HEAD or GET answer."""
    return {name: source[name] for name in _INHERITED if source.get(name)}


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload that was begun, and is to be completed or aborted.

    As a context it aborts itself on an error, and says StoreUnavailable when somebody else has aborted it.
    """

    connection: Connection
    at: Location
    id: str

    @classmethod
    def begin(cls, connection: Connection, at: Location, source: Mapping[str, Any]) -> Self:
        """Return a new upload that has the content type and user metadata of the source's HEAD answer."""
        answer = connection.ask(
            "CreateMultipartUpload",
            at,
            lambda client: client.create_multipart_upload(Bucket=at.bucket, Key=at.key, **inherited(source)),
        )
        return cls(connection, at, answer["UploadId"])

    def complete(self, parts: "list[CompletedPartTypeDef]", stat: ObjectStat) -> str:
        """Have the object made of its parts, and return its ETag as far as known.

        When the answer to an earlier try was lost, an object of the right size at the target is that try's.
        """
        try:
            answer = self.connection.ask(
                "CompleteMultipartUpload",
                self.at,
                lambda client: client.complete_multipart_upload(
                    Bucket=self.at.bucket,
                    Key=self.at.key,
                    UploadId=self.id,
                    MultipartUpload={"Parts": parts},
                ),
            )
        except UploadGone:
            there = self.connection.head(self.at)
            if there is None or there["ContentLength"] != stat.size:
                raise
            return unquoted(there.get("ETag"))
        return unquoted(answer.get("ETag"))

    def abort(self) -> bool:
        """Leave no part behind; False when the upload was gone already."""
        try:
            self.connection.ask(
                "AbortMultipartUpload",
                self.at,
                lambda client: client.abort_multipart_upload(
                    Bucket=self.at.bucket, Key=self.at.key, UploadId=self.id
                ),
            )
        except UploadGone:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        with suppress(RestoreError):  # the first error is the one to tell; abort_uploads finds the rest
            self.abort()
        if isinstance(error, UploadGone):
            sentence = f"the upload of {self.at} was aborted by somebody else; it has to begin anew"
            raise StoreUnavailable(sentence) from error
