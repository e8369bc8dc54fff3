"""Protobuf messages as JSON text, in both spellings of Go's protojson (snapshot-format.md, section 3.1).

The protobuf library ignores unknown members only together with unknown enum names, and then takes
any text or list for an empty message. Here unknown members are taken out beforehand, so that the rest
is read strictly.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message

from formats.errors import SnapshotCorrupt, UnsupportedFormat

if TYPE_CHECKING:
    # The stubs know two classes of descriptors, of which one exists at run time.
    from google._upb import _message
    from google.protobuf import descriptor

    Kind = descriptor.Descriptor | _message.Descriptor
    Field = descriptor.FieldDescriptor | _message.FieldDescriptor

MessageT = TypeVar("MessageT", bound=Message)

_SHOWN = 300


def read_object(raw: bytes, key: str) -> dict[str, Any]:
    """Return the JSON object that the bytes hold; SnapshotCorrupt with the position when they hold none."""
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_distinct, parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise SnapshotCorrupt(
            f"{key}: failed to parse metadata JSON: not UTF-8 at byte {error.start}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise SnapshotCorrupt(f"{key}: failed to parse metadata JSON: {_short(error)}") from error
    if not isinstance(value, dict):
        raise SnapshotCorrupt(
            f"{key}: failed to parse metadata JSON: expected an object, found {_kind(value)}"
        )
    return value


def read_message(value: dict[str, Any], message: MessageT, key: str) -> MessageT:
    """Fill the message from a JSON object and return it; unknown members are ignored.

    Raises SnapshotCorrupt naming the field for a wrong type or a member given in both spellings, and
    UnsupportedFormat for the name of an enum value that this build does not know.
    """
    try:
        known = _known(value, message.DESCRIPTOR, "")
        return json_format.ParseDict(known, message)
    except json_format.ParseError as error:
        unknown_name = _enum_error(error)
        if unknown_name is not None:
            raise UnsupportedFormat(f"{key}: {_short(unknown_name)}") from error
        raise SnapshotCorrupt(f"{key}: {_short(error)}") from error
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise SnapshotCorrupt(f"{key}: {_short(error)}") from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twice!r} occurs twice in one object")
    return members


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")


def _known(value: Any, kind: "Kind", path: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{path}: expected an object, found {_kind(value)}")
    known: dict[str, Any] = {}
    for name, member in value.items():
        field = _members(kind).get(name)
        if field is None:
            continue
        if field.name in known:
            raise ValueError(f"{path}{field.name}: given in two spellings")
        known[field.name] = _known_member(member, field, f"{path}{field.name}")
    return known


@cache
def _members(kind: "Kind") -> dict[str, "Field"]:
    """Both spellings lead to the field."""
    return {spelling: field for field in kind.fields for spelling in (field.json_name, field.name)}


def _known_member(member: Any, field: "Field", path: str) -> Any:
    inner = field.message_type
    if inner is None or inner.GetOptions().map_entry or member is None:
        return member
    if not field.is_repeated:
        return _known(member, inner, f"{path}.")
    if not isinstance(member, list):
        raise ValueError(f"{path}: expected a list, found {_kind(member)}")
    return [_known(item, inner, f"{path}[{index}].") for index, item in enumerate(member)]


def _enum_error(error: BaseException) -> json_format.EnumStringValueParseError | None:
    return next(
        (each for each in _causes(error) if isinstance(each, json_format.EnumStringValueParseError)), None
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _short(error: BaseException) -> str:
    text = str(error)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"
