"""Whether a log is whole by its own account: its container says where it ends.

A binlog is a chain of events that tell their lengths (real-milvus.md, section 6); a Parquet file ends with
the length of its footer and the magic that it began with. Sizes and offsets in bytes.
"""

import struct
from collections.abc import Callable
from typing import Literal

from formats.descriptor import MAGIC

Wholeness = Literal["whole", "broken", "unknown"]
Read = Callable[[int, int], bytes]
"""Return the bytes from an offset on, at most so many."""

_EVENT_HEADER = 17
_LENGTH_AT = 9
_PARQUET = b"PAR1"
_FOOTER = struct.Struct("<I4s")


def wholeness(read: Read, size: int) -> Wholeness:
    """Return whether an object of that size ends where its container says; `unknown` for other kinds."""
    head = read(0, len(MAGIC)) if size >= len(MAGIC) else b""
    if head == MAGIC:
        return "whole" if _chain_end(read, size) == size else "broken"
    if head == _PARQUET:
        return "whole" if _has_footer(read, size) else "broken"
    return "unknown"


def _chain_end(read: Read, size: int) -> int | None:
    """Return where the last event ends, maybe beyond the object; None where it is no chain of them."""
    at, events = len(MAGIC), 0
    while at < size:
        header = read(at, _EVENT_HEADER) if size - at >= _EVENT_HEADER else b""
        # Some writers get the offset of the next event wrong; the lengths are right.
        length = struct.unpack_from("<i", header, _LENGTH_AT)[0] if header else 0
        if length < _EVENT_HEADER:
            return None
        at, events = at + length, events + 1
    # A descriptor alone holds no rows.
    return at if events > 1 else None


def _has_footer(read: Read, size: int) -> bool:
    least = len(_PARQUET) + _FOOTER.size
    if size < least:
        return False
    length, magic = _FOOTER.unpack(read(size - _FOOTER.size, _FOOTER.size))
    return bool(magic == _PARQUET) and length + least <= size
