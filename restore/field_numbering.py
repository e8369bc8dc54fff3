"""How Milvus numbers the fields and functions of a new collection.

Fields get 100 and the following ids in the order of the request, then the fields that Milvus itself adds
(`$meta`, `$namespace_id`), then struct array fields, each followed by its own fields. Functions are counted
from 100 as well. Newer servers keep the ids of the request where a property asks for it.
"""

from collections.abc import Iterator

from formats.proto.schema_pb2 import CollectionSchema, FieldSchema, StructArrayFieldSchema

_FIRST = 100
_SYSTEM_FIELDS = frozenset({0, 1})
_OF_SERVER = "$"


def own_fields(schema: CollectionSchema) -> list[FieldSchema]:
    """Return the fields that a user declared, by id: neither RowID and Timestamp nor the server's own."""
    return [field for field in _by_id(schema) if not field.name.startswith(_OF_SERVER)]


def own_structs(schema: CollectionSchema) -> list[StructArrayFieldSchema]:
    """Return the struct array fields by id."""
    return sorted(schema.struct_array_fields, key=lambda field: field.fieldID)


def has_fields_of_server(schema: CollectionSchema) -> bool:
    """True when Milvus added a field of its own, which its API takes from nobody."""
    return any(field.name.startswith(_OF_SERVER) for field in _by_id(schema))


def is_numbered_anew(schema: CollectionSchema) -> bool:
    """True when a new collection with these fields and functions gets these very ids."""
    fields, functions = list(_in_order(schema)), sorted(function.id for function in schema.functions)
    return fields == _counted(fields) and functions == _counted(functions)


def _in_order(schema: CollectionSchema) -> Iterator[int]:
    yield from (field.fieldID for field in own_fields(schema))
    yield from (field.fieldID for field in _by_id(schema) if field.name.startswith(_OF_SERVER))
    for struct in own_structs(schema):
        yield struct.fieldID
        yield from (field.fieldID for field in struct.fields)


def _by_id(schema: CollectionSchema) -> list[FieldSchema]:
    users = (field for field in schema.fields if field.fieldID not in _SYSTEM_FIELDS)
    return sorted(users, key=lambda field: field.fieldID)


def _counted(ids: list[int]) -> list[int]:
    return list(range(_FIRST, _FIRST + len(ids)))
