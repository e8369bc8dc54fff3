"""Finding a snapshot by name in the cluster that took it (snapshot-format.md, section 4.1)."""

from collections.abc import Iterator
from dataclasses import dataclass

from formats.keys import MetaKeys
from formats.location import SnapshotLocation
from formats.metadata import read_metadata
from formats.proto.data_pb2 import SnapshotInfo, SnapshotState, SnapshotStateCommitted
from restore.errors import (
    InvalidRequest,
    ObjectMissing,
    SnapshotCorrupt,
    SnapshotNotFound,
    TargetNotFound,
    UnsupportedFormat,
)
from stores.catalog import read_collection
from stores.ports import Location, MetadataStore, ObjectStore
from stores.snapshot_records import SnapshotRecord, SnapshotRecords

_FORMS = "a URI, a key that ends in .json, or [database/]collection/snapshot-name"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SnapshotName:
    """`[database/]collection/name`."""

    database: str
    collection: str
    name: str

    @classmethod
    def parse(cls, text: str) -> "SnapshotName | None":
        """Return the name that a request gives, or None when it gives a URI or a key; else InvalidRequest."""
        if "://" in text or text.endswith(".json"):
            return None
        parts = text.split("/")
        if len(parts) not in (2, 3) or not all(parts):
            raise InvalidRequest(f"field snapshot: expected {_FORMS}, found {text!r}")
        database, collection, name = parts if len(parts) == 3 else ("default", *parts)
        return cls(database, collection, name)

    def __str__(self) -> str:
        return f"{self.database}/{self.collection}/{self.name}"


@dataclass(frozen=True, slots=True)
class SnapshotCatalog:
    """The SnapshotInfo records of one cluster; its metadata files lie in `bucket` of `objects`."""

    metadata: MetadataStore
    keys: MetaKeys
    objects: ObjectStore
    bucket: str

    def find(self, wanted: SnapshotName) -> str:
        """Return the committed snapshot's location as its record gives it, a key or a URI.

        SnapshotNotFound lists what there is, or names the state that is not COMMITTED.
        """
        collection = self._collection_of(wanted)
        records = [each for each in self._records() if self._is_of(each, wanted, collection)]
        named = [each for each in records if each.name == wanted.name]
        committed = [each for each in named if each.state == SnapshotStateCommitted and each.s3_location]
        if committed:
            return max(committed, key=lambda each: each.create_ts).s3_location
        raise SnapshotNotFound(_why(wanted, records, named))

    def records(self, wanted: SnapshotName) -> list[SnapshotRecord]:
        """Return the records of this name, in whatever state; the collection may be given by its id.

        Of a dropped collection those whose metadata file tells that they are its.
        """
        collection = self._collection_of(wanted)
        found = SnapshotRecords(self.metadata, self.keys).all(*[collection] if collection else [])
        named = (each for each in found if each.info.name == wanted.name)
        return [each for each in named if self._is_of(each.info, wanted, collection)]

    def _records(self) -> Iterator[SnapshotInfo]:
        return (each.info for each in SnapshotRecords(self.metadata, self.keys).all())

    def _collection_of(self, wanted: SnapshotName) -> int | None:
        """The collection's id, or None when the catalog has it no more. No name begins with a digit."""
        if wanted.collection.isdecimal():
            return int(wanted.collection)
        try:
            return read_collection(self.metadata, self.keys, wanted.database, wanted.collection).id
        except TargetNotFound:
            return None

    def _is_of(self, record: SnapshotInfo, wanted: SnapshotName, collection: int | None) -> bool:
        """Tell by the catalog whose snapshot it is; of a dropped collection only its metadata file tells."""
        if collection is not None:
            return record.collection_id == collection
        # A file of an older writer does not tell its database.
        return self._written_of(record) in ((wanted.database, wanted.collection), ("", wanted.collection))

    def _written_of(self, record: SnapshotInfo) -> tuple[str, str] | None:
        """Database and collection as the metadata file has them; None where it cannot be read."""
        if not record.s3_location:
            return None
        try:
            location = SnapshotLocation.parse(record.s3_location)
            raw = self.objects.get(Location(location.bucket or self.bucket, location.key))
            schema = read_metadata(raw, key=location.key).collection.schema
        except (ObjectMissing, InvalidRequest, SnapshotCorrupt, UnsupportedFormat):
            return None  # another's damaged snapshot is no reason to refuse the one that is asked for
        return schema.dbName, schema.name


def _why(wanted: SnapshotName, records: list[SnapshotInfo], named: list[SnapshotInfo]) -> str:
    if named:
        return f"snapshot {wanted} {_not_restorable(named[0])}: it cannot be restored"
    names = sorted({each.name for each in records if each.state == SnapshotStateCommitted})
    there = ", ".join(names[:_SHOWN]) or "none"
    collection = f"{wanted.database}/{wanted.collection}"
    return f"there is no snapshot {wanted.name!r} of collection {collection}; there is: {there}"


def _not_restorable(record: SnapshotInfo) -> str:
    if record.state == SnapshotStateCommitted:
        return "is COMMITTED, but its record does not say where its metadata file is"
    known = record.state in SnapshotState.values()
    state = SnapshotState.Name(record.state).removeprefix("SnapshotState").upper() if known else record.state
    return f"is {state}, not COMMITTED"
