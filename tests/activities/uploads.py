"""Multipart uploads as others make them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def begin_upload(s3: "S3Client", bucket: str, key: str, body: bytes) -> tuple[str, str]:
    """An upload with one part that nobody ends; its id and the part's ETag."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=body)
    return upload, part["ETag"]


def upload_in_parts(s3: "S3Client", bucket: str, key: str, body: bytes) -> None:
    """Have the object, with an ETag that is not its content's."""
    upload, etag = begin_upload(s3, bucket, key, body)
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=parts)  # type: ignore[arg-type]
