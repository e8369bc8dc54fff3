"""The two ports through which a restore touches the world.

Both raise only errors of restore/errors.py: `AccessDenied` when refused, `StoreUnavailable` when
another try may help, and what each method names.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Location:
    """An object's place."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """What a store says of an object: size in bytes, ETag without quotes."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class Content:
    """What reading an object's bytes once tells: its state as answered with them, hex SHA-256 and MD5."""

    stat: ObjectStat
    sha256: str
    md5: str


class Edit(Protocol):
    """What becomes of an object's first bytes; all others stay, and so does the size."""

    @property
    def length(self) -> int:
        """How many of the first bytes it is to see; fewer when the object is shorter."""

    def __call__(self, head: bytes) -> bytes:
        """Return as many bytes; raises a RestoreError for bytes that it cannot change."""


class ObjectStore(Protocol):
    """Object storage behind one endpoint and one set of credentials. Thread-safe."""

    profile: str
    """The profile's name, for error messages."""

    endpoint: str
    """Where it is; two stores with the same endpoint can copy between each other inside the store."""

    def check(self, bucket: str) -> None:
        """Return when the bucket exists and may be read; else raise ObjectMissing or AccessDenied."""

    def check_writable(self, at: Location) -> None:
        """Return when an object may be stored there, else raise AccessDenied; nothing is left there."""

    def get(self, at: Location) -> bytes:
        """Return the object's bytes; ObjectMissing when it is absent."""

    def read(self, at: Location, start: int, length: int) -> bytes:
        """Return the bytes from an offset within the object on, at most `length`; ObjectMissing if absent."""

    def put(self, at: Location, body: bytes) -> None:
        """Store the object, replacing what is there."""

    def stat(self, at: Location) -> ObjectStat | None:
        """Return size and ETag, or None when the object is absent."""

    def scan(self, bucket: str, prefix: str, start_after: str = "") -> Iterator[ObjectStat]:
        """Yield every object below the prefix in key order, a page of 1,000 at a time."""

    def copy(
        self, source: Location, target: Location, stat: ObjectStat, go_on: Callable[[], bool] = lambda: True
    ) -> bool:
        """Copy inside the store, whatever the size; True when the target is complete.

        `stat` is the source's, as listed: a source that has changed since (other ETag) is ObjectMismatch,
        an absent one ObjectMissing. Large objects are copied in parts; between two parts `go_on` is asked,
        and a False aborts the upload, leaves nothing at the target and returns False.
        """

    def receive(
        self,
        origin: "ObjectStore",
        source: Location,
        target: Location,
        stat: ObjectStat,
        edit: Edit | None = None,
    ) -> None:
        """Stream an object of another store to here in bounded memory, then compare size and hash.

        With an edit the origin may be this store; the object then tells `made_from`. What the edit raises
        is raised before anything is at the target.
        """

    def made_from(self, at: Location) -> str | None:
        """Return the ETag of the source that the object was made from with an edit; None for any other."""

    def delete(self, bucket: str, keys: Sequence[str]) -> None:
        """Remove the objects, 1,000 a request; absent ones are no error."""

    def abort_uploads(self, bucket: str, prefix: str) -> int:
        """Abort unfinished multipart uploads below the prefix and return their number."""

    def unfinished(self, bucket: str, prefix: str) -> Iterator[str]:
        """Yield the key of every unfinished multipart upload below the prefix."""

    def digest(self, at: Location) -> str:
        """Return the hex SHA-256 of the object's bytes, read as a stream; ObjectMissing when absent."""

    def content(self, at: Location, edit: Edit | None = None) -> Content:
        """Return state and hashes of the object, read once as a stream; ObjectMissing when absent.

        With an edit the hashes are those of what it would make of the object.
        """


@dataclass(frozen=True, slots=True)
class Record:
    """A key of the metadata store with its value; `mod_revision` changes at each write."""

    key: str
    value: bytes
    create_revision: int
    mod_revision: int


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition of a transaction: the key's mod_revision is this; 0 means that the key is absent."""

    key: str
    mod_revision: int


@dataclass(frozen=True, slots=True)
class Transaction:
    """All or nothing: `puts` and `deletes` happen when every guard holds."""

    guards: Sequence[Guard] = ()
    puts: Mapping[str, bytes] = field(default_factory=dict)
    deletes: Sequence[str] = ()


class MetadataStore(Protocol):
    """The cluster's etcd, or its twin. Keys are absolute. Thread-safe."""

    profile: str

    def check(self) -> None:
        """Return when the store answers within a few seconds; else AccessDenied or StoreUnavailable."""

    def get(self, key: str) -> Record | None:
        """Return the record at a key, or None."""

    def scan(self, prefix: str, *, keys_only: bool = False) -> Iterator[Record]:
        """Yield the records below a prefix in key order, as of one revision; no values for keys_only."""

    def commit(self, transaction: Transaction) -> bool:
        """Apply a transaction of at most 128 operations and 1.5 MiB; False when a guard does not hold.

        When the answer is lost the store re-reads rather than repeats, so that True and False are the truth.
        It knows its own write by the value: one that writes a key which it guards must put a value there
        that no other caller would put (name the writer in it).
        """

    def commit_all(self, guards: Sequence[Guard], puts: Iterable[tuple[str, bytes]]) -> int | None:
        """Put any number of records in as many guarded transactions as the limits ask for.

        Returns the number of records written, or None as soon as a guard does not hold.
        """
