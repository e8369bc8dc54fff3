"""Where a log ends by its own account."""

import io
import struct

import pyarrow as pa  # type: ignore[import-untyped]  # Arrow ships no type stubs
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # Arrow ships no type stubs
import pytest

from formats.container import wholeness
from samples.collection import sample_segment
from samples.shape import SampleShape

SAMPLE = sample_segment(SampleShape(segments=1, megabytes=0.1, dim=4), 0)
BINLOG = next(body for key, body in sorted(SAMPLE.objects.items()) if "/insert_log/" in key)


def parquet() -> bytes:
    written = io.BytesIO()
    pq.write_table(pa.table({"val": [1, 2, 3]}), written)
    return written.getvalue()


def judged(body: bytes) -> str:
    return wholeness(lambda start, length: body[start : start + length], len(body))


@pytest.mark.parametrize("body", [BINLOG, parquet()], ids=["binlog", "Parquet"])
class TestContainer:
    def test_a_whole_one(self, body: bytes) -> None:
        assert judged(body) == "whole"

    def test_one_cut_off_anywhere_behind_its_magic(self, body: bytes) -> None:
        ends = {*range(4, 120), *range(4, len(body), 997), len(body) - 1}
        assert {judged(body[:end]) for end in ends if end > 4 and end < len(body)} == {"broken"}

    @pytest.mark.parametrize("more", [b"\0", b"x" * 17, bytes(64), b"\xff" * 64])
    def test_one_that_has_grown(self, body: bytes, more: bytes) -> None:
        assert judged(body + more) == "broken"

    def test_nothing_but_zeroes_tells_nothing(self, body: bytes) -> None:
        assert judged(bytes(len(body))) == "unknown"


def test_an_event_that_says_it_has_no_length_does_not_hold_us_for_ever() -> None:
    header = struct.pack("<QbiI", 0, 0, 0, 0)
    assert judged(BINLOG[:4] + header) == "broken"


@pytest.mark.parametrize("body", [b"", b"abc", b'{"max": 3}'])
def test_other_files_tell_nothing(body: bytes) -> None:
    assert judged(body) == "unknown"
