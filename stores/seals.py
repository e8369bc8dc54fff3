"""Reading the seal that lies beside a snapshot's metadata file (restore/seal.py tells its form)."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from itertools import zip_longest
from typing import Self

from pydantic import ValidationError

from formats.location import SnapshotLocation
from restore.errors import ObjectMissing, SnapshotCorrupt
from restore.seal import SealedObject, SealedSegment, SealHeader, seal_key
from stores.ports import Location, ObjectStore

_DAMAGE = (OSError, EOFError, zlib.error, UnicodeDecodeError, ValidationError)


@dataclass(frozen=True)
class Seal:
    """A seal whose header was read; its segments are decoded one at a time. `digest` is its own SHA-256."""

    at: Location
    digest: str
    header: SealHeader
    _body: bytes = field(repr=False)

    @classmethod
    def read(cls, objects: ObjectStore, metadata: Location) -> Self | None:
        """Return the seal of the snapshot with this metadata file, None where it was never sealed.

        Raises SnapshotCorrupt when the seal cannot be read.
        """
        at = Location(metadata.bucket, seal_key(metadata.key))
        try:
            body = objects.get(at)
        except ObjectMissing:
            return None
        try:
            header = SealHeader.model_validate_json(next(_lines(body), ""))
        except _DAMAGE as error:
            raise _damaged(at, error) from error
        return cls(at, hashlib.sha256(body).hexdigest(), header, body)

    @property
    def metadata(self) -> SealedObject:
        """The metadata file as it was sealed."""
        return self.header.metadata.below(self.root)

    @property
    def root(self) -> str:
        """The folder above `snapshots/`, which the sealed keys are relative to."""
        return SnapshotLocation.parse(self.at.key.removesuffix(".seal.json.gz") + ".json").root

    def segments(self) -> Iterator[SealedSegment]:
        """Yield the segments in the snapshot's order, keys in full; SnapshotCorrupt when damaged."""
        lines, count = _lines(self._body), 0
        try:
            next(lines)
            for line in lines:
                count += 1
                yield SealedSegment.model_validate_json(line).below(self.root)
        except _DAMAGE as error:
            raise _damaged(self.at, error) from error
        if count != self.header.segments:
            raise _damaged(self.at, f"it holds {count} segments, expected {self.header.segments}")

    def along(self, manifests: Sequence[str]) -> Iterator[SealedSegment]:
        """Yield the segments; SnapshotCorrupt unless their manifests have these keys in this order."""
        for key, segment in zip_longest(manifests, self.segments()):
            if segment is None or segment.manifest.key != key:
                sealed = segment.manifest.key if segment else "nothing more"
                raise _damaged(self.at, f"it names {sealed} where the snapshot names {key or 'nothing more'}")
            yield segment


def require_as_sealed(raw: bytes, sealed: SealedObject, at: Location) -> None:
    """Return when a file of the snapshot is as it was sealed; else SnapshotCorrupt with both states."""
    found = hashlib.sha256(raw).hexdigest()
    if found != sealed.sha256:
        raise SnapshotCorrupt(
            f"{at} has {len(raw)} bytes with SHA-256 {found[:16]}…, expected {sealed.size} bytes with "
            f"{sealed.sha256[:16]}… as the snapshot's seal recorded; it was changed since"
        )


def _lines(body: bytes) -> Iterator[str]:
    with gzip.open(BytesIO(body), "rt", encoding="utf-8") as text:
        yield from text


def _damaged(at: Location, why: object) -> SnapshotCorrupt:
    reason = str(why).partition("\n")[0]
    return SnapshotCorrupt(
        f"the seal {at} cannot be relied on: {reason}; remove it to restore without a seal, or seal anew "
        "with `milvus-restore snapshot seal --replace`"
    )
