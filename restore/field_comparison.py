"""The differences between two schemas' fields and functions that make copied files mean something else."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from google.protobuf import text_format
from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper
from google.protobuf.message import Message

from formats.proto.schema_pb2 import (
    CollectionSchema,
    DataType,
    FieldSchema,
    FunctionSchema,
    FunctionType,
    StructArrayFieldSchema,
    ValueField,
)
from restore.parameters import type_parameters

FieldT = TypeVar("FieldT", FieldSchema, StructArrayFieldSchema)

_SYSTEM_FIELDS = frozenset({0, 1})


def field_differences(expected: CollectionSchema, found: CollectionSchema) -> Iterator[str]:
    """Yield a line per difference of user fields and struct array fields, matched by field id.

    The system fields RowID (0) and Timestamp (1) may be listed or not on either side.
    """
    yield from _matched("field", _user_fields(expected.fields), _user_fields(found.fields), _of_field)
    yield from _matched(
        "struct field",
        {field.fieldID: field for field in expected.struct_array_fields},
        {field.fieldID: field for field in found.struct_array_fields},
        _of_struct,
    )


def function_differences(expected: CollectionSchema, found: CollectionSchema) -> Iterator[str]:
    """Yield a line per difference of functions, matched by name."""
    there = {function.name: function for function in found.functions}
    for function in expected.functions:
        other = there.pop(function.name, None)
        if other is None:
            yield f"function {function.name}: expected in the target, found none"
        else:
            yield from _unequal(
                f"function {function.name}", _function_traits(function), _function_traits(other)
            )
    for name in there:
        yield f"function {name}: in the target, but not in the snapshot"


def _user_fields(fields: Iterable[FieldSchema]) -> dict[int, FieldSchema]:
    return {field.fieldID: field for field in fields if field.fieldID not in _SYSTEM_FIELDS}


def _matched(
    kind: str,
    expected: Mapping[int, FieldT],
    found: Mapping[int, FieldT],
    compare: Callable[[str, FieldT, FieldT], Iterator[str]],
) -> Iterator[str]:
    for field_id, field in expected.items():
        label = f"{kind} {field_id} ({field.name})"
        if field_id in found:
            yield from compare(label, field, found[field_id])
        else:
            yield f"{label}: expected in the target, found none"
    for field_id, field in found.items():
        if field_id not in expected:
            yield f"{kind} {field_id} ({field.name}): in the target, but not in the snapshot"


def _of_field(label: str, expected: FieldSchema, found: FieldSchema) -> Iterator[str]:
    yield from _unequal(label, _field_traits(expected), _field_traits(found))
    # Older writers leave type_schema out; then data_type and element_type say it all.
    both = expected.HasField("type_schema") and found.HasField("type_schema")
    if both and expected.type_schema != found.type_schema:
        yield (
            f"{label}: type_schema: expected {_one_line(expected.type_schema)}, "
            f"found {_one_line(found.type_schema)}"
        )


def _of_struct(label: str, expected: StructArrayFieldSchema, found: StructArrayFieldSchema) -> Iterator[str]:
    yield from _unequal(label, _struct_traits(expected), _struct_traits(found))
    yield from _matched(
        f"{label} field",
        {field.fieldID: field for field in expected.fields},
        {field.fieldID: field for field in found.fields},
        _of_field,
    )


def _field_traits(field: FieldSchema) -> dict[str, str]:
    traits = {
        "name": field.name,
        "data_type": _enum_name(DataType, field.data_type),
        "element_type": _enum_name(DataType, field.element_type),
        "default_value": _value(field.default_value) if field.HasField("default_value") else "none",
        "external_field": field.external_field or "none",
    }
    flags = {
        "primary key": field.is_primary_key,
        "auto id": field.autoID,
        "partition key": field.is_partition_key,
        "clustering key": field.is_clustering_key,
        "nullable": field.nullable,
        "nullable elements": field.element_nullable,
        "dynamic": field.is_dynamic,
        "function output": field.is_function_output,
    }
    return traits | _yes_no(flags) | type_parameters(field.type_params)


def _struct_traits(field: StructArrayFieldSchema) -> dict[str, str]:
    return {"name": field.name} | _yes_no({"nullable": field.nullable}) | type_parameters(field.type_params)


def _function_traits(function: FunctionSchema) -> dict[str, str]:
    return {
        "id": str(function.id),
        "type": _enum_name(FunctionType, function.type),
        "input fields": _joined(function.input_field_names),
        "input field ids": _joined(function.input_field_ids),
        "output fields": _joined(function.output_field_names),
        "output field ids": _joined(function.output_field_ids),
    }


def _unequal(label: str, expected: Mapping[str, str], found: Mapping[str, str]) -> Iterator[str]:
    for name in {**expected, **found}:
        if expected.get(name) != found.get(name):
            yield f"{label}: {name}: expected {expected.get(name, 'none')}, found {found.get(name, 'none')}"


def _enum_name(kind: EnumTypeWrapper, number: int) -> str:
    return kind.Name(number) if number in kind.values() else str(number)


def _value(value: ValueField) -> str:
    kind = value.WhichOneof("data")
    return f"{getattr(value, kind)!r} ({kind})" if kind else "none"


def _one_line(message: Message) -> str:
    return text_format.MessageToString(message, as_one_line=True) or "none"


def _yes_no(flags: Mapping[str, bool]) -> dict[str, str]:
    return {name: "yes" if flag else "no" for name, flag in flags.items()}


def _joined(values: Iterable[int] | Iterable[str]) -> str:
    return ", ".join(str(value) for value in values) or "none"
