import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats.descriptor import (
    COLLECTION_AT,
    HEAD,
    PARTITION_AT,
    SEGMENT_AT,
    LogOwner,
    log_owner,
    with_owner,
)
from formats.errors import SnapshotCorrupt, UnsupportedFormat

ids = st.integers(-(2**63), 2**63 - 1)
owners = st.builds(LogOwner, ids, ids, ids)
OWNER = LogOwner(470638932115849232, 470638932115849233, 470638932116049245)
OTHER = LogOwner(1, -1, 2**62)


def binlog(
    owner: LogOwner, field: int = 100, extras: bytes = b'{"original_size":"7"}', rest: bytes = b"rows"
) -> bytes:
    """A log written by hand from the specification."""
    body = struct.pack("<4q2Qi8B", *owner, field, 1, 2, 5, 52, *[16] * 7)
    body += struct.pack("<i", len(extras)) + extras
    length = 17 + len(body)
    return b"\xbc\xfa\xff\x00" + struct.pack("<Qbii", 2, 0, length, 4 + length) + body + rest


def changed(raw: bytes, offset: int, value: bytes) -> bytes:
    return raw[:offset] + value + raw[offset + len(value) :]


@given(owner=owners, field=ids, extras=st.binary(max_size=200), rest=st.binary(max_size=200))
def test_owner_is_read_whatever_else_a_log_holds(
    owner: LogOwner, field: int, extras: bytes, rest: bytes
) -> None:
    raw = binlog(owner, field, extras, rest)
    assert log_owner(raw[:HEAD], size=len(raw), name="log") == owner


@given(was=owners, now=owners, extras=st.binary(max_size=200), rest=st.binary(max_size=200))
def test_rewriting_changes_the_owner_and_no_other_byte(
    was: LogOwner, now: LogOwner, extras: bytes, rest: bytes
) -> None:
    raw = binlog(was, 100, extras, rest)
    after = with_owner(raw, now, size=len(raw), name="log")
    assert after == binlog(now, 100, extras, rest)
    assert with_owner(after, was, size=len(raw), name="log") == raw
    assert (after[:21], after[45:]) == (raw[:21], raw[45:])


def test_ids_lie_where_the_offsets_say() -> None:
    raw = binlog(OWNER)
    for offset, expected in zip((COLLECTION_AT, PARTITION_AT, SEGMENT_AT), OWNER, strict=True):
        assert struct.unpack_from("<q", raw, offset) == (expected,)


def test_a_wrong_offset_of_the_next_event_is_no_fault() -> None:
    raw = changed(binlog(OWNER), 17, struct.pack("<i", -1))
    assert log_owner(raw, size=len(raw), name="log") == OWNER


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "has nothing at byte 0"),
        (b"\xbc\xfa", "has bcfa at byte 0, expected a binlog's bcfaff00"),
        (b"{}" * 100, "has 7b7d7b7d at byte 0"),
        (binlog(OWNER)[: HEAD - 1], "ends at byte 84, expected a descriptor event of at least 85 bytes"),
        (changed(binlog(OWNER), 12, b"\1"), "event of type 1 at byte 12"),
        (changed(binlog(OWNER), 13, struct.pack("<i", 80)), "descriptor event of 80 bytes at byte 13"),
        (changed(binlog(OWNER), 13, struct.pack("<i", -1)), "descriptor event of -1 bytes at byte 13"),
        (changed(binlog(OWNER), 13, struct.pack("<i", 2**31 - 1)), "of 2147483647 bytes at byte 13"),
        (changed(binlog(OWNER), 81, struct.pack("<i", 20)), "20 bytes of extras at byte 81, expected 21"),
        (binlog(OWNER, rest=b"")[:-1], "descriptor event of 102 bytes at byte 13, expected 81 to 101"),
    ],
)
def test_a_broken_descriptor_is_named_with_object_and_offset(raw: bytes, said: str) -> None:
    with pytest.raises(SnapshotCorrupt) as error:
        with_owner(raw[:HEAD], OTHER, size=len(raw), name="s3://b/insert_log/1/2/3/100/4")
    assert "s3://b/insert_log/1/2/3/100/4" in str(error.value)
    assert said in str(error.value)


@given(st.binary(max_size=300).filter(lambda raw: not raw.startswith(b"PAR1")))
def test_garbage_never_passes_as_a_log(raw: bytes) -> None:
    with pytest.raises(SnapshotCorrupt):
        with_owner(raw, OTHER, size=len(raw), name="log")


@given(data=st.data(), raw=st.just(binlog(OWNER)))
def test_a_log_cut_within_its_descriptor_is_refused(data: st.DataObject, raw: bytes) -> None:
    short = raw[: data.draw(st.integers(0, len(raw) - len(b"rows") - 1))]
    with pytest.raises(SnapshotCorrupt):
        log_owner(short[:HEAD], size=len(short), name="log")


def test_a_parquet_file_is_another_format_and_no_damage() -> None:
    raw = b"PAR1" + bytes(200)
    with pytest.raises(UnsupportedFormat, match="log key is a Parquet file without a descriptor event"):
        with_owner(raw, OTHER, size=len(raw), name="key")
