"""Objects of a snapshot as a restore knows them: as recorded, as sealed, or as found. Sizes in bytes."""

from typing import Literal

from formats.model import Model

Kind = Literal["insert", "stats", "delta", "bm25", "index", "text", "json", "manifest", "lob"]


class SourceObject(Model):
    """One object of a segment; `size` is what the manifest recorded, None where it records no size.

    In a stored plan `size` and `etag` are those that planning found. Where the snapshot was sealed, they
    and `sha256` are what the seal says.
    """

    kind: Kind
    source: str
    size: int | None
    etag: str | None = None
    sha256: str | None = None


class FoundObject(Model):
    """An object of the source as planning found it: what is copied must still be that."""

    key: str
    size: int
    etag: str


class SnapshotFile(Model):
    """A segment's manifest in the snapshot, as planning read it; the SHA-256 is hex."""

    key: str
    sha256: str
