"""The descriptor event at the head of a binlog: whose rows the log holds (real-milvus.md, section 6).

All numbers are little-endian. Insert and delta logs of storage version 0 begin with it, those of L0 segments
included; the packed files of storage version 2 are plain Parquet and have none.

    0   magic
    4   event header: timestamp u64, type i8, length i32 with this header, offset of the next event i32
    21  collection, partition, segment i64
    45  field i64; first and last timestamp u64; data type i32; eight lengths u8
    81  length of the extras i32, then the extras as JSON
"""

import struct
from typing import NamedTuple

from formats.errors import SnapshotCorrupt, UnsupportedFormat

MAGIC = struct.pack("<I", 0xFFFABC)
HEAD = 85
"""Bytes of an object that must be known to rewrite it: all of the event but the extras."""

COLLECTION_AT, PARTITION_AT, SEGMENT_AT = 21, 29, 37
"""Offsets of the ids, which lie side by side."""

_IDS = struct.Struct("<3q")
_END = COLLECTION_AT + _IDS.size
_PARQUET = b"PAR1"
_TYPE_AT, _LENGTH_AT, _EXTRAS_AT = 12, 13, 81
_DESCRIPTOR = 0


class LogOwner(NamedTuple):
    """Whose rows a log holds, as its descriptor tells; a partition of -1 is all of them."""

    collection: int
    partition: int
    segment: int


def log_owner(head: bytes, *, size: int, name: str) -> LogOwner:
    """Return the owner in a log's first HEAD bytes; `size` is the whole log's, `name` is for messages.

    Raises UnsupportedFormat for a Parquet file, and SnapshotCorrupt, with the offset in bytes, for
    anything else that does not begin with a whole descriptor event.
    """
    _require_magic(head, name)
    if len(head) < HEAD:
        raise _corrupt(name, len(head), "ends", f"a descriptor event of at least {HEAD} bytes")
    if head[_TYPE_AT] != _DESCRIPTOR:
        found = f"has an event of type {head[_TYPE_AT]}"
        raise _corrupt(name, _TYPE_AT, found, f"a descriptor event, type {_DESCRIPTOR}")
    _require_lengths(head, size, name)
    return LogOwner._make(_IDS.unpack_from(head, COLLECTION_AT))


def with_owner(head: bytes, owner: LogOwner, *, size: int, name: str) -> bytes:
    """Return the same bytes with the owner's three ids in place of those there; raises as log_owner does."""
    log_owner(head, size=size, name=name)
    return head[:COLLECTION_AT] + _IDS.pack(*owner) + head[_END:]


def _require_magic(head: bytes, name: str) -> None:
    if head.startswith(_PARQUET):
        raise UnsupportedFormat(
            f"log {name} is a Parquet file without a descriptor event, as no cluster older than Milvus 2.4 "
            "reads it; restore to a newer one, without rewrite_descriptors"
        )
    if not head.startswith(MAGIC):
        raise _corrupt(name, 0, f"has {head[: len(MAGIC)].hex() or 'nothing'}", f"a binlog's {MAGIC.hex()}")


def _require_lengths(head: bytes, size: int, name: str) -> None:
    # Some writers get the offset of the next event wrong, so that only the lengths are held to account.
    (length,) = struct.unpack_from("<i", head, _LENGTH_AT)
    (extras,) = struct.unpack_from("<i", head, _EXTRAS_AT)
    if length < HEAD - len(MAGIC) or len(MAGIC) + length > size:
        most = size - len(MAGIC)
        found, expected = f"has a descriptor event of {length} bytes", f"{HEAD - len(MAGIC)} to {most}"
        raise _corrupt(name, _LENGTH_AT, found, expected)
    if HEAD + extras != len(MAGIC) + length:
        expected = f"{len(MAGIC) + length - HEAD}, which the event's length leaves for them"
        raise _corrupt(name, _EXTRAS_AT, f"has {extras} bytes of extras", expected)


def _corrupt(name: str, offset: int, found: str, expected: str) -> SnapshotCorrupt:
    return SnapshotCorrupt(
        f"log {name} {found} at byte {offset}, expected {expected}; its descriptor cannot be rewritten, so "
        "check the log, or restore without rewrite_descriptors"
    )
