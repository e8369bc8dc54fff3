"""A StorageV3 segment's own manifest, written here a second time on purpose (snapshot-format.md, 1.5).

It checks the product's reading, and shares no code or schema with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import fastavro

MAGIC = 0x4D494C56
VERSION = 1


@dataclass(frozen=True, slots=True)
class Columns:
    """Some fields of a segment and the files that hold them: rows by path."""

    fields: tuple[int, ...]
    files: Mapping[str, int]
    format: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a manifest names: columns, rows by delta log, and paths by kind of statistics."""

    columns: Sequence[Columns]
    deltas: Mapping[str, int]
    stats: Mapping[str, Sequence[str]]


def plain(contents: Contents, *, sized: bool) -> bytes:
    """The manifest in version 1: one bare Avro datum. Readers take arrays with and without their bytes."""
    return b"".join(
        [
            _long(MAGIC),
            _long(VERSION),
            _array((_columns(each, sized) for each in contents.columns), sized),
            _array((_text(p) + _long(0) + _long(rows) for p, rows in contents.deltas.items()), sized),
            _array((_text(n) + _array(map(_text, p), sized) for n, p in contents.stats.items()), sized),
        ]
    )


def container(contents: Contents, lobs: Sequence[str]) -> bytes:
    """The manifest as a newer writer may have it: an Avro container with a schema of its own."""
    texts = {"type": "array", "items": "string"}
    entry = {"type": "record", "name": "Named", "fields": [{"name": "path", "type": "string"}]}
    fields = [
        {"name": "layout", "type": "int"},
        {"name": "paths", "type": texts},
        {"name": "lob_files", "type": {"type": "array", "items": entry}},
    ]
    stream = BytesIO()
    paths = [path for each in contents.columns for path in each.files if not path.endswith(".vx")]
    value = {"layout": 6, "paths": paths, "lob_files": [{"path": path} for path in lobs]}
    # A marker of its own choice, so that equal samples have equal bytes.
    marker = bytes(16)
    schema = {"type": "record", "name": "Manifest", "fields": fields}
    fastavro.writer(stream, schema, [value], sync_marker=marker)
    return stream.getvalue()


def _columns(columns: Columns, sized: bool) -> bytes:
    files = (_text(path) + _long(0) + _long(rows) + _long(0) for path, rows in columns.files.items())
    names = (_text(str(field)) for field in columns.fields)
    return _array(names, sized) + _array(files, sized) + _text(columns.format)


def _array(items: Iterable[bytes], sized: bool) -> bytes:
    parts = list(items)
    if not parts:
        return _long(0)
    body = b"".join(parts)
    head = _long(-len(parts)) + _long(len(body)) if sized else _long(len(parts))
    return head + body + _long(0)


def _text(value: str) -> bytes:
    raw = value.encode()
    return _long(len(raw)) + raw


def _long(value: int) -> bytes:
    """Zig-zag, then seven bits a byte, the lowest first."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])
