"""Primary-key statistics, JSON as Milvus keeps them (real-milvus.md, section 6)."""

import base64
import json
import struct
from typing import Any

from formats.proto.schema_pb2 import DataType

COMPOUND = 1
"""The log id, hence the object's name, of the statistics of a whole segment."""

HASHES = 7
BITS_PER_KEY = 8


def key_statistics(field: int, first: int, last: int) -> dict[str, Any]:
    """The statistics of the int64 primary keys first..last.

    The Bloom filter is a saturated one: it answers "perhaps" to every key, which is never wrong.
    """
    words = (last - first + 1) * BITS_PER_KEY // 64 + 1
    bits = struct.pack(f">Q{words}Q", words * 64, *[2**64 - 1] * words)
    bloom = {"m": words * 64, "k": HASHES, "b": base64.urlsafe_b64encode(bits).decode()}
    keys = {"pkType": int(DataType.Int64), "maxPk": last, "minPk": first}
    return {"fieldID": field, "max": 0, "min": 0, "bf": bloom, **keys}


def stats_log(statistics: dict[str, Any] | list[dict[str, Any]]) -> bytes:
    """One log's statistics, or the list of all of them that the compound object `1` holds."""
    return json.dumps(statistics, separators=(",", ":")).encode()
