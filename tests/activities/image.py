"""All that a deployment's bucket and etcd hold at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stores.ports import MetadataStore

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Image:
    """Objects as key to size and ETag, keys of unfinished uploads, records as key to value and revision."""

    objects: Mapping[str, str]
    uploads: frozenset[str]
    records: Mapping[str, tuple[bytes, int]]

    @classmethod
    def take(cls, s3: "S3Client", bucket: str, metadata: MetadataStore, root: str) -> "Image":
        """All that is there now."""
        return cls(
            objects=listed(s3, bucket),
            uploads=frozenset(
                each["Key"] for each in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])
            ),
            records={each.key: (each.value, each.mod_revision) for each in metadata.scan(f"{root}/")},
        )

    def changes(self, after: "Image") -> set[str]:
        """Every key whose object, upload or record appeared, vanished or was written."""
        objects = {key for key, _ in self.objects.items() ^ after.objects.items()}
        records = {key for key, _ in self.records.items() ^ after.records.items()}
        return objects | records | (self.uploads ^ after.uploads)

    def value(self, key: str) -> bytes:
        """The value of a record."""
        return self.records[key][0]


def listed(s3: "S3Client", bucket: str, prefix: str = "") -> dict[str, str]:
    """Size and ETag of every object by key."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {
        entry["Key"]: f"{entry['Size']} {entry['ETag']}"
        for page in pages
        for entry in page.get("Contents", [])
    }
