"""Milvus's binlog container: magic, descriptor event, one data event with a Parquet payload.

The layout is that of real-milvus.md, section 6; all numbers are little-endian.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any

import pyarrow as pa  # type: ignore[import-untyped]  # Arrow ships no type stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # Arrow ships no type stubs

from formats.proto.schema_pb2 import DataType

MAGIC = bytes.fromhex("bcfaff00")
HEADER = struct.Struct("<Qbii")
"""Timestamp, event type, length with this header, offset of the next event."""

DESCRIPTOR = struct.Struct("<4q2Qi8B")
"""Collection, partition, segment, field; first and last timestamp; data type; post-header lengths."""

SPAN = struct.Struct("<2Q")
POST_HEADER_LENGTHS = (52, 16, 16, 16, 16, 16, 16, 16)

DESCRIPTOR_EVENT, INSERT_EVENT, DELETE_EVENT, INDEX_FILE_EVENT = 0, 1, 2, 7


@dataclass(frozen=True, slots=True)
class Place:
    """Whose data a log holds, as its descriptor tells."""

    collection: int
    partition: int
    segment: int
    field: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """The first and the last timestamp in a log, hybrid (TSO)."""

    first: int
    last: int


def insert_log(place: Place, data_type: DataType, column: Any, span: Span) -> bytes:
    """The insert log of one field; `column` is an Arrow array of its stored type."""
    size = column.nbytes
    return _container(place, data_type, span, {"original_size": str(size)}, INSERT_EVENT, _parquet(column))


def delete_log(place: Place, keys: list[int], timestamps: list[int]) -> bytes:
    """The delta log of int64 primary keys, each deleted at its timestamp."""
    pairs = zip(keys, timestamps, strict=True)
    rows = [_compact({"pk": key, "ts": at, "pkType": int(DataType.Int64)}) for key, at in pairs]
    column = pa.array(rows, pa.string())
    extras = {"original_size": str(column.nbytes)}
    span = Span(min(timestamps), max(timestamps))
    return _container(place, DataType.String, span, extras, DELETE_EVENT, _parquet(column))


def index_file(place: Place, build: int, content: bytes, span: Span) -> bytes:
    """An index file: the content as an int8 column, with its build in the descriptor."""
    column = pa.Array.from_buffers(pa.int8(), len(content), [None, pa.py_buffer(content)])
    extras = {"indexBuildID": str(build), "original_size": str(len(content))}
    return _container(place, DataType.Int8, span, extras, INDEX_FILE_EVENT, _parquet(column))


def slice_meta(name: str, slices: int, size: int) -> bytes:
    """The content of SLICE_META: how many slices an index file was cut into, and its bytes in all."""
    return _compact({"meta": [{"name": name, "slice_num": slices, "total_len": size}]}).encode() + b"\0"


def _container(
    place: Place, data_type: DataType, span: Span, extras: dict[str, str], kind: int, payload: bytes
) -> bytes:
    extra = json.dumps(extras, separators=(",", ":")).encode()
    ids = (place.collection, place.partition, place.segment, place.field)
    fixed = DESCRIPTOR.pack(*ids, span.first, span.last, int(data_type), *POST_HEADER_LENGTHS)
    descriptor = fixed + struct.pack("<i", len(extra)) + extra
    head = MAGIC + _event(DESCRIPTOR_EVENT, span, descriptor, len(MAGIC))
    return head + _event(kind, span, SPAN.pack(span.first, span.last) + payload, len(head))


def _event(kind: int, span: Span, body: bytes, offset: int) -> bytes:
    length = HEADER.size + len(body)
    return HEADER.pack(span.last, kind, length, offset + length) + body


def _parquet(column: Any) -> bytes:
    sink = pa.BufferOutputStream()
    # A dictionary of floats or keys only costs time; for bytes it keeps a byte one byte wide.
    dictionary = bool(pa.types.is_int8(column.type))
    pq.write_table(pa.table({"val": column}), sink, compression="zstd", use_dictionary=dictionary)
    return bytes(sink.getvalue())


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
