"""Avro as hamba writes it: array blocks of at most 100 items, each with negative count and byte size."""

from collections.abc import Iterator
from typing import Any

BLOCK = 100


def encode(schema: Any, value: Any, named: dict[str, Any] | None = None) -> bytes:
    """The bytes of one value; a reference encoder that shares nothing with the product's writer."""
    named = {} if named is None else named
    kind = schema["type"] if isinstance(schema, dict) else schema
    if kind in named:
        return encode(named[kind], value, named)
    if kind == "record":
        named[schema["name"]] = schema
        return b"".join(encode(each["type"], value[each["name"]], named) for each in schema["fields"])
    if kind == "array":
        return b"".join(_blocks(schema["items"], value, named)) + b"\0"
    return _primitive(kind, value)


def zigzag(value: int) -> bytes:
    """A long as a zig-zag varint; unsigned values above 2^63 wrap."""
    rest = ((value << 1) ^ (value >> 63)) & (2**64 - 1) if value < 2**63 else _wrapped(value)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def _wrapped(value: int) -> int:
    signed = value - 2**64
    return ((signed << 1) ^ (signed >> 63)) & (2**64 - 1)


def _blocks(items: Any, values: Any, named: dict[str, Any]) -> Iterator[bytes]:
    # An inner record is named at its first use even if the first array is empty.
    if isinstance(items, dict) and items["type"] == "record":
        named[items["name"]] = items
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        body = b"".join(encode(items, each, named) for each in block)
        yield zigzag(-len(block)) + zigzag(len(body)) + body


def _primitive(kind: str, value: Any) -> bytes:
    if kind == "boolean":
        return bytes([value])
    if kind in ("long", "int"):
        return zigzag(value)
    raw: bytes = value.encode() if kind == "string" else value
    return zigzag(len(raw)) + raw
