"""A StorageV3 segment's own manifest, `_metadata/manifest-{ver}.avro` (snapshot-format.md, section 1.5).

Versions 1 to 3 are one raw Avro datum that begins with a magic number; the layout known to us is version
1's, and 2 and 3 are read by it where it fits them to the last byte. From version 4 on it is an Avro
container that carries its schema. What else it may be is not guessed: `read_loon` then names nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import fastavro
from fastavro.schema import parse_schema

from formats.errors import SnapshotCorrupt

_MAGIC = 0x4D494C56
_CONTAINER = b"Obj\x01"
_VERSIONS = (1, 2, 3)

_FILE = {
    "type": "record",
    "name": "File",
    "fields": [
        {"name": "path", "type": "string"},
        {"name": "start_index", "type": "long"},
        {"name": "end_index", "type": "long"},
        {"name": "reserved", "type": "long"},
    ],
}
_GROUP = {
    "type": "record",
    "name": "ColumnGroup",
    "fields": [
        {"name": "columns", "type": {"type": "array", "items": "string"}},
        {"name": "files", "type": {"type": "array", "items": _FILE}},
        {"name": "format", "type": "string"},
    ],
}
_DELTA = {
    "type": "record",
    "name": "DeltaLog",
    "fields": [
        {"name": "path", "type": "string"},
        {"name": "type", "type": "long"},
        {"name": "rows", "type": "long"},
    ],
}
_STATS = {
    "type": "record",
    "name": "Stats",
    "fields": [
        {"name": "name", "type": "string"},
        {"name": "paths", "type": {"type": "array", "items": "string"}},
    ],
}
_SCHEMA = parse_schema(
    {
        "type": "record",
        "name": "LoonManifest",
        "fields": [
            {"name": "magic", "type": "long"},
            {"name": "version", "type": "long"},
            {"name": "column_groups", "type": {"type": "array", "items": _GROUP}},
            {"name": "delta_logs", "type": {"type": "array", "items": _DELTA}},
            {"name": "stats", "type": {"type": "array", "items": _STATS}},
        ],
    }
)
_HEAD = parse_schema(
    {
        "type": "record",
        "name": "LoonHead",
        "fields": [{"name": "magic", "type": "long"}, {"name": "version", "type": "long"}],
    }
)
_LOB = re.compile(r"(?:^|/)lobs/(\d+)/_data/([^/]+\.vx)$")
_ABSOLUTE = re.compile(r"^[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True, slots=True)
class LoonManifest:
    """What a StorageV3 manifest names: `files` as keys, `lobs` as (field id, file name).

    `readable` is False for a layout that we do not know: then nothing can be said of what it names.
    """

    readable: bool
    files: tuple[str, ...] = ()
    lobs: tuple[tuple[int, str], ...] = ()


def read_loon(raw: bytes, *, key: str, base_path: str) -> LoonManifest:
    """Return what the manifest at `key` names, paths resolved below `base_path`.

    Raises SnapshotCorrupt when it is neither of the two known kinds, or damaged.
    """
    if raw.startswith(_CONTAINER):
        return LoonManifest(readable=False, lobs=_lobs(_strings(_container(raw, key))))
    version = _version(raw, key)
    value = _datum(raw)
    if value is None:
        if version == 1:
            raise SnapshotCorrupt(f"{key}: StorageV3 manifest of version 1 cannot be read to its last byte")
        return LoonManifest(readable=False)
    return LoonManifest(readable=True, files=_files(value, base_path), lobs=_lobs(_paths(value)))


def write_loon(*, files: dict[str, int], deltas: dict[str, int], stats: dict[str, list[str]]) -> bytes:
    """Return a manifest of version 1 with one column group: rows by relative file path, and so on."""
    group = {
        "columns": ["100"],
        "files": [
            {"path": path, "start_index": 0, "end_index": rows, "reserved": 0} for path, rows in files.items()
        ],
        "format": "parquet",
    }
    value = {
        "magic": _MAGIC,
        "version": 1,
        "column_groups": [group],
        "delta_logs": [{"path": path, "type": 0, "rows": rows} for path, rows in deltas.items()],
        "stats": [{"name": name, "paths": paths} for name, paths in stats.items()],
    }
    output = BytesIO()
    fastavro.schemaless_writer(output, _SCHEMA, value)
    return output.getvalue()


def _version(raw: bytes, key: str) -> int:
    try:
        head: Any = fastavro.schemaless_reader(BytesIO(raw), _HEAD, None)
    except (EOFError, ValueError, IndexError, OverflowError) as error:
        raise _unknown(raw, key) from error
    if head["magic"] != _MAGIC:
        raise _unknown(raw, key)
    if head["version"] not in _VERSIONS:
        raise SnapshotCorrupt(f"{key}: StorageV3 manifest: expected version 1 to 3, found {head['version']}")
    return int(head["version"])


def _unknown(raw: bytes, key: str) -> SnapshotCorrupt:
    return SnapshotCorrupt(
        f"{key}: StorageV3 manifest: expected to begin with the magic MILV as an Avro long, or an Avro "
        f"container, found {raw[:8].hex() or 'an empty object'}"
    )


def _datum(raw: bytes) -> Any:
    """Return the datum, or None when the layout does not fit to the last byte."""
    stream = BytesIO(raw)
    try:
        value = fastavro.schemaless_reader(stream, _SCHEMA, None)
    except (EOFError, ValueError, IndexError, OverflowError, MemoryError):
        return None
    return value if stream.tell() == len(raw) else None


def _container(raw: bytes, key: str) -> list[Any]:
    try:
        return list(fastavro.reader(BytesIO(raw)))
    except Exception as error:  # fastavro raises what its parser meets: EOFError, ValueError, KeyError, …
        raise SnapshotCorrupt(f"{key}: StorageV3 manifest: damaged Avro container: {error}") from error


def _paths(value: Any) -> Iterator[str]:
    for group in value["column_groups"]:
        yield from (file["path"] for file in group["files"])
    yield from (delta["path"] for delta in value["delta_logs"])
    for stats in value["stats"]:
        yield from stats["paths"]


def _files(value: Any, base_path: str) -> tuple[str, ...]:
    paths = (path for path in _paths(value) if not _ABSOLUTE.match(path) and not _LOB.search(path))
    return tuple(path if path.startswith(f"{base_path}/") else f"{base_path}/{path}" for path in paths)


def _lobs(paths: Iterator[str]) -> tuple[tuple[int, str], ...]:
    found = (_LOB.search(path) for path in paths)
    return tuple(dict.fromkeys((int(match[1]), match[2]) for match in found if match))


def _strings(value: Any) -> Iterator[str]:
    """Yield every text in a value of unknown shape: a container's schema names are not ours to know."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
