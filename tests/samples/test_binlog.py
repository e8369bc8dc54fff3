import io
import json
import struct

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # Arrow ships no type stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # Arrow ships no type stubs
import pytest

from formats.proto.schema_pb2 import DataType
from samples.binlog import Place, Span, delete_log, index_file, insert_log, slice_meta
from samples.stats_log import key_statistics, stats_log

PLACE = Place(collection=111, partition=222, segment=333, field=100)
SPAN = Span(first=5 << 18, last=9 << 18)


def read_log(raw: bytes) -> tuple[dict[str, str], list[object], int]:
    """A reader of its own, from the offsets of the specification: extras, column, event type."""
    assert raw[:4] == bytes.fromhex("bcfaff00")
    _, kind, length, following = struct.unpack_from("<Qbii", raw, 4)
    assert (kind, following) == (0, 4 + length)
    extra_length = struct.unpack_from("<i", raw, 21 + 60)[0]
    extras = json.loads(raw[21 + 64 : 21 + 64 + extra_length])
    assert 21 + 64 + extra_length == following
    _, kind, length, end = struct.unpack_from("<Qbii", raw, following)
    assert end == following + length == len(raw)
    payload = pq.read_table(io.BytesIO(raw[following + 17 + 16 :]))
    assert payload.column_names == ["val"]
    return extras, payload["val"].to_pylist(), kind


def test_descriptor_names_the_owner_at_offset_21() -> None:
    raw = insert_log(PLACE, DataType.Int64, pa.array([1, 2], pa.int64()), SPAN)
    assert struct.unpack_from("<4q2Qi8B", raw, 21) == (
        111,
        222,
        333,
        100,
        5 << 18,
        9 << 18,
        5,
        *(52, 16, 16, 16, 16, 16, 16, 16),
    )


@pytest.mark.parametrize(
    ("data_type", "column"),
    [
        (DataType.Int64, pa.array([1, -2, 3], pa.int64())),
        (DataType.VarChar, pa.array(["a", "ü"], pa.string())),
        (DataType.JSON, pa.array([b'{"a":1}'], pa.binary())),
        (DataType.FloatVector, pa.array([b"12345678"], pa.binary(8))),
    ],
)
def test_insert_log_holds_its_column(data_type: DataType, column: pa.Array) -> None:
    extras, values, kind = read_log(insert_log(PLACE, data_type, column, SPAN))
    assert values == column.to_pylist()
    assert kind == 1
    assert extras == {"original_size": str(column.nbytes)}


def test_delete_log_holds_keys_and_timestamps_as_json() -> None:
    _, values, kind = read_log(delete_log(PLACE, [7, 8], [100, 101]))
    assert kind == 2
    assert values == ['{"pk":7,"ts":100,"pkType":5}', '{"pk":8,"ts":101,"pkType":5}']


def test_index_file_holds_bytes_and_its_build() -> None:
    content = np.random.default_rng(1).bytes(10_000)
    raw = index_file(PLACE, 1001, content, SPAN)
    extras, values, kind = read_log(raw)
    assert kind == 7
    assert extras == {"indexBuildID": "1001", "original_size": "10000"}
    assert np.array(values, np.int8).tobytes() == content
    assert len(raw) < 1.2 * len(content)


def test_slice_meta_is_json_with_a_nul() -> None:
    assert slice_meta("HNSW", 2, 1590552) == (
        b'{"meta":[{"name":"HNSW","slice_num":2,"total_len":1590552}]}\0'
    )


def test_compound_stats_log_lists_those_of_the_logs() -> None:
    parts = [key_statistics(100, 0, 9), key_statistics(100, 10, 19)]
    assert json.loads(stats_log(parts)) == [json.loads(stats_log(part)) for part in parts]
    assert (parts[1]["minPk"], parts[1]["maxPk"], parts[1]["pkType"]) == (10, 19, 5)
