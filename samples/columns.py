"""The rows of a segment, column by column, as the Arrow arrays that Milvus stores."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # Arrow ships no type stubs
from numpy.typing import NDArray

from samples import schema
from samples.binlog import Span
from samples.shape import SampleShape

VOCABULARY = 256
"""Distinct texts and documents; columns draw from them, which is far faster than making each."""

WORDS = (
    "amber",
    "basalt",
    "cedar",
    "delta",
    "ember",
    "fjord",
    "garnet",
    "harbor",
    "indigo",
    "juniper",
    "kelp",
    "lagoon",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Consecutive rows of a segment: the primary key of the first, how many, and their Arrow columns."""

    first_key: int
    count: int
    span: Span
    columns: dict[int, Any]

    def cut(self, start: int, count: int) -> "Rows":
        """The rows from `start` on, without copying them."""
        columns = {field: column.slice(start, count) for field, column in self.columns.items()}
        return Rows(self.first_key + start, count, _span(self.span.first + (start << 18), count), columns)


def rows(shape: SampleShape, number: int, count: int) -> Rows:
    """The rows of a segment, the same at every call; primary keys are unique in the collection."""
    random = np.random.default_rng([shape.seed, number])
    first = number * 10_000_000
    began = shape.write_time(number)
    # Milvus keeps a timestamp's 64 bits in a signed column.
    times = np.uint64(began) + (np.arange(count, dtype=np.uint64) << np.uint64(18))
    columns = {
        schema.ROW_ID: pa.array(shape.segment_id(number) * 2 % 2**62 + np.arange(count, dtype=np.int64)),
        schema.TIMESTAMP: pa.array(times.view(np.int64)),
        schema.KEY: pa.array(first + np.arange(count, dtype=np.int64)),
        schema.EMBEDDING: _vectors(random, count, shape.dim),
        schema.THUMBNAIL: _vectors(random, count, schema.THUMBNAIL_DIM),
        schema.TITLE: _drawn(random, count, _texts(random, 4), pa.string()),
        schema.STOCK: pa.array(random.integers(0, 100_000, count, dtype=np.int64)),
        schema.ATTRIBUTES: _drawn(random, count, _documents(random, "price"), pa.binary()),
        schema.REVIEW: _drawn(random, count, _texts(random, 16), pa.string()),
        schema.RATINGS: _drawn(random, count, _long_arrays(random), pa.binary()),
        schema.DYNAMIC: _drawn(random, count, _documents(random, "weight"), pa.binary()),
    }
    if shape.full_text:
        columns[schema.REVIEW_TERMS] = _drawn(random, count, _sparse_vectors(random), pa.binary())
    if shape.large_text:
        columns[schema.MANUAL] = _drawn(random, count, _documents(random, "offset"), pa.binary())
    return Rows(first, count, _span(began, count), columns)


def _span(first: int, count: int) -> Span:
    return Span(first, first + (max(count - 1, 0) << 18))


def _vectors(random: np.random.Generator, count: int, dim: int) -> Any:
    values: NDArray[np.float32] = random.standard_normal((count, dim), dtype=np.float32)
    # Milvus stores a vector as its bytes, little-endian.
    data = pa.py_buffer(values.astype("<f4", copy=False).tobytes())
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(dim * 4), count, [None, data])


def _drawn(random: np.random.Generator, count: int, pool: Sequence[str | bytes], kind: Any) -> Any:
    return pa.array(pool, kind).take(pa.array(random.integers(0, len(pool), count)))


def _texts(random: np.random.Generator, words: int) -> list[str]:
    picks = random.integers(0, len(WORDS), (VOCABULARY, words))
    return [" ".join(WORDS[word] for word in pick) for pick in picks]


def _documents(random: np.random.Generator, number: str) -> list[bytes]:
    values = random.integers(1, 10_000, VOCABULARY)
    return [
        json.dumps({"color": WORDS[value % len(WORDS)], number: int(value) / 100}).encode()
        for value in values
    ]


def _long_arrays(random: np.random.Generator) -> list[bytes]:
    """Serialized ScalarField messages with long_data (3); values below 128 are one byte each."""
    lengths = random.integers(1, schema.RATINGS_CAPACITY, VOCABULARY)
    values = random.integers(1, 6, (VOCABULARY, schema.RATINGS_CAPACITY), dtype=np.uint8)
    drawn = (row[:length].tobytes() for row, length in zip(values, lengths, strict=True))
    return [b"\x1a" + bytes([len(row) + 2]) + b"\x0a" + bytes([len(row)]) + row for row in drawn]


def _sparse_vectors(random: np.random.Generator) -> list[bytes]:
    """Rows of a sparse vector: pairs of term and weight, little-endian, the terms ascending."""
    pairs = np.zeros((VOCABULARY, 4), dtype=[("term", "<u4"), ("weight", "<f4")])
    pairs["term"] = np.sort(random.integers(0, 2**32, pairs.shape, dtype=np.uint32), axis=1)
    pairs["weight"] = random.random(pairs.shape, dtype=np.float32)
    return [row.tobytes() for row in pairs]
