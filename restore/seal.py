"""A seal: what every object of a snapshot was when the snapshot was good.

It lies beside the metadata file as `{snapshot id}.seal.json.gz`: gzipped JSON, one line with the header, then
one for each segment in the snapshot's order, so that it is written and read as a stream. Keys are relative
to the folder above `snapshots/`, below which all of a snapshot lies, so that a bundle may be moved with its
seal. Sizes are in bytes, hashes in hex, times ISO 8601, UTC.
"""

from typing import Literal

from formats.model import Model

SUFFIX = ".seal.json.gz"


class SealedObject(Model):
    """One object as it was."""

    key: str
    size: int
    etag: str
    sha256: str

    def below(self, root: str) -> "SealedObject":
        """The same object with its full key, where the folder above `snapshots/` is this one."""
        return self.model_copy(update={"key": f"{root}/{self.key}"}) if root else self


class SealedSegment(Model):
    """A segment: its manifest in the snapshot, and all that the segment consists of."""

    segment_id: int
    manifest: SealedObject
    objects: tuple[SealedObject, ...]

    def below(self, root: str) -> "SealedSegment":
        """The same segment with full keys."""
        return SealedSegment(
            segment_id=self.segment_id,
            manifest=self.manifest.below(root),
            objects=tuple(each.below(root) for each in self.objects),
        )


class SealHeader(Model):
    """Which snapshot was sealed, when and by what; `metadata` is its metadata file."""

    version: Literal[1] = 1
    snapshot: str
    snapshot_id: int
    collection_id: int
    sealed_at: str
    software: str
    segments: int
    metadata: SealedObject


def seal_key(metadata_key: str) -> str:
    """The key of a snapshot's seal, by that of its metadata file."""
    return metadata_key.removesuffix(".json") + SUFFIX
