"""Differences of two protobuf messages, field by field, for people."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from google.protobuf.message import DecodeError, Message

SHOWN = 120


def differences(expected: Message, value: bytes) -> list[str]:
    """How a record's bytes differ from the message it should hold; empty when they do not."""
    found = type(expected)()
    try:
        found.ParseFromString(value)
    except DecodeError:
        return [f"is no {expected.DESCRIPTOR.name} ({len(value)} bytes)"]
    fields = list(_fields(expected, found, ""))
    if not fields and found.SerializeToString(deterministic=True) != expected.SerializeToString(
        deterministic=True
    ):
        return ["has fields that are not known"]
    return fields


def _fields(expected: Message, found: Message, path: str) -> Iterator[str]:
    for field in expected.DESCRIPTOR.fields:
        wanted, there = getattr(expected, field.name), getattr(found, field.name)
        name = f"{path}{field.name}"
        if field.is_repeated and field.message_type is not None:
            yield from _members(_by_key(wanted), _by_key(there), name)
        elif isinstance(wanted, Message):
            if expected.HasField(field.name) != found.HasField(field.name):
                yield f"{name} is {_presence(found, field)}, expected {_presence(expected, field)}"
            yield from _fields(wanted, there, f"{name}.")
        elif wanted != there and field.enum_type is not None:
            yield f"{name} is {_enum(field, there)}, expected {_enum(field, wanted)}"
        elif wanted != there:
            yield f"{name} is {_shown(there)}, expected {_shown(wanted)}"


def _members(expected: Mapping[Any, Any], found: Mapping[Any, Any], name: str) -> Iterator[str]:
    """The differences of two maps, or of two lists by position."""
    for key in sorted(expected.keys() | found.keys()):
        if key not in found:
            yield f"{name}[{key}] is missing"
        elif key not in expected:
            yield f"{name}[{key}] is {_shown(found[key])}, expected none"
        elif isinstance(expected[key], Message):
            yield from _fields(expected[key], found[key], f"{name}[{key}].")
        elif expected[key] != found[key]:
            yield f"{name}[{key}] is {_shown(found[key])}, expected {_shown(expected[key])}"


def _by_key(members: Any) -> dict[Any, Any]:
    return dict(members.items() if isinstance(members, MutableMapping) else enumerate(members))


def _presence(message: Message, field: Any) -> str:
    return "given" if message.HasField(field.name) else "not given"


def _enum(field: Any, number: int) -> str:
    value = field.enum_type.values_by_number.get(number)
    return value.name if value else str(number)


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
