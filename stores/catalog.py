"""Looking up a collection in RootCoord's catalog (segment-restore.md, section 3.6)."""

from collections.abc import Iterable, Iterator
from operator import attrgetter

from formats.catalog import (
    DEFAULT_DATABASE,
    DEFAULT_DATABASE_ID,
    CollectionParts,
    TargetCollection,
    is_live,
    target_collection,
)
from formats.keys import MetaKeys
from formats.paths import base_name
from formats.proto import etcd_pb2, index_pb2, schema_pb2
from formats.wire import M, decode
from restore.errors import TargetNotFound
from stores.ports import MetadataStore, Record

_NAMED = 10
# A database's record from before databases had states tells none.
_DATABASE_EXISTS = (etcd_pb2.DatabaseUnknown, etcd_pb2.DatabaseCreated)


def read_collection(store: MetadataStore, keys: MetaKeys, database: str, name: str) -> TargetCollection:
    """Returns the collection of this name, whichever layout its records have.

    TargetNotFound when the database or collection is absent (names what exists) or the name is an alias
    (names its collection); UnsupportedFormat for a record that cannot be read.
    """
    found = find_collection(store, keys, database, name)
    if found is None:
        there = collection_names(store, keys, database).values()
        raise TargetNotFound(
            f"collection {name!r} is not in database {database!r}, which has {_listed(there)}; "
            "create it with the snapshot's schema, or set a Milvus address so that the restore can"
        )
    return found


def find_collection(
    store: MetadataStore, keys: MetaKeys, database: str, name: str
) -> TargetCollection | None:
    """Returns the collection of this name, or None where nothing has the name.

    TargetNotFound when the database is absent or the name is an alias; otherwise as read_collection.
    """
    database_id = _database_id(store, keys, database)
    collections = _collections(store, keys, database, database_id)
    named = [each for each in collections if each.schema.name == name]
    if not named:
        _refuse_alias(store, keys, database, database_id, name, collections)
        return None
    # Milvus has one collection of a name at a time: an older one is on its way out.
    found = max(named, key=attrgetter("create_time"))
    return target_collection(found, database_id, _parts(store, keys, found.ID))


def collection_names(store: MetadataStore, keys: MetaKeys, database: str) -> dict[int, str]:
    """Returns the name of every collection by its id; TargetNotFound when the database is absent."""
    collections = _collections(store, keys, database, _database_id(store, keys, database))
    return {each.ID: each.schema.name for each in collections}


def all_collections(store: MetadataStore, keys: MetaKeys) -> dict[int, tuple[str, str]]:
    """Returns database and name of every collection of the cluster by its id."""
    databases = {
        DEFAULT_DATABASE,
        *(each.name for each in _live(store, keys.databases, etcd_pb2.DatabaseInfo)),
    }
    return {
        number: (database, name)
        for database in databases
        for number, name in _names_in(store, keys, database).items()
    }


def _names_in(store: MetadataStore, keys: MetaKeys, database: str) -> dict[int, str]:
    """Nothing in a database that is on its way out."""
    try:
        return collection_names(store, keys, database)
    except TargetNotFound:
        return {}


def _database_id(store: MetadataStore, keys: MetaKeys, database: str) -> int:
    records = _live(store, keys.databases, etcd_pb2.DatabaseInfo)
    ids = {each.name: each.id for each in records if each.state in _DATABASE_EXISTS}
    ids.setdefault(DEFAULT_DATABASE, DEFAULT_DATABASE_ID)
    if database not in ids:
        raise TargetNotFound(
            f"database {database!r} is not in the catalog below {keys.databases} of profile "
            f"{store.profile!r}, which has {_listed(ids)}; create it, or name one of those"
        )
    return ids[database]


def _collections(
    store: MetadataStore, keys: MetaKeys, database: str, database_id: int
) -> list[etcd_pb2.CollectionInfo]:
    records = list(store.scan(keys.collections(database_id)))
    if database == DEFAULT_DATABASE:
        # Before databases, collections had keys of another form; a moved or dropped one may still be there.
        moved = {base_name(record.key) for record in records}
        legacy = store.scan(keys.legacy_collections)
        records += [record for record in legacy if base_name(record.key) not in moved]
    collections = _decoded(records, etcd_pb2.CollectionInfo)
    return [each for each in collections if each.state == etcd_pb2.CollectionCreated]


def _parts(store: MetadataStore, keys: MetaKeys, collection: int) -> CollectionParts:
    return CollectionParts(
        fields=tuple(_live(store, keys.fields(collection), schema_pb2.FieldSchema)),
        struct_array_fields=tuple(
            _live(store, keys.struct_array_fields(collection), schema_pb2.StructArrayFieldSchema)
        ),
        functions=tuple(_live(store, keys.functions(collection), schema_pb2.FunctionSchema)),
        partitions=tuple(_live(store, keys.partitions(collection), etcd_pb2.PartitionInfo)),
        indexes=tuple(_live(store, keys.field_indexes(collection), index_pb2.FieldIndex)),
    )


def _refuse_alias(
    store: MetadataStore,
    keys: MetaKeys,
    database: str,
    database_id: int,
    name: str,
    collections: Iterable[etcd_pb2.CollectionInfo],
) -> None:
    names = {each.ID: each.schema.name for each in collections}
    record = store.get(keys.alias(database_id, name))
    for alias in _decoded([record] if record else [], etcd_pb2.AliasInfo):
        if alias.state == etcd_pb2.AliasCreated and alias.collection_id in names:
            raise TargetNotFound(
                f"{name!r} in database {database!r} is an alias of collection "
                f"{names[alias.collection_id]!r}; give the collection's own name"
            )


def _live(store: MetadataStore, prefix: str, kind: type[M]) -> Iterator[M]:
    return _decoded(store.scan(prefix), kind)


def _decoded(records: Iterable[Record], kind: type[M]) -> Iterator[M]:
    return (decode(kind, record.value, record.key) for record in records if is_live(record.value))


def _listed(names: Iterable[str]) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - _NAMED} more" if len(ordered) > _NAMED else ""
    return f"{', '.join(ordered[:_NAMED]) or 'none'}{more}"
