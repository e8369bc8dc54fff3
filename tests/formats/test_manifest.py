"""Segment manifests: golden bytes, both framings, and what happens to damaged files."""

import re
import time
import tracemalloc
from io import BytesIO
from typing import Any

import fastavro
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from formats.errors import SnapshotCorrupt, UnsupportedFormat
from formats.manifest import decode_manifest, encode_manifest, manifest_segment_id
from formats.manifest_schema import manifest_schema
from formats.segment import FieldBinlog, Position, SegmentManifest, TextIndex
from tests.formats.golden import FULL_FASTAVRO, FULL_HAMBA, MINIMAL_V1, MINIMAL_V3, MINIMAL_V5, full, minimal
from tests.formats.hamba_framing import encode, zigzag
from tests.formats.manifest_strategies import manifests

FOLDER = "files/snapshots/100/manifests/4611"
VERSIONS = st.integers(0, 4)


def key_of(segment_id: int) -> str:
    return f"{FOLDER}/{segment_id}.avro"


def decode(raw: bytes, version: int = 4, segment_id: int = 1001) -> SegmentManifest:
    return decode_manifest(raw, format_version=version, key=key_of(segment_id))


def as_entry(manifest: SegmentManifest) -> dict[str, Any]:
    """The Avro record of a manifest, text and JSON entries nested as in the file."""
    entry = manifest.model_dump()
    for name in ("text_index_files", "json_key_index_files"):
        entry[name] = [{"field_id": stats["field_id"], "stats": stats} for stats in entry[name]]
    return entry


@pytest.mark.parametrize(
    ("raw", "version"), [(MINIMAL_V1, 0), (MINIMAL_V1, 1), (MINIMAL_V1, 2), (MINIMAL_V3, 3), (MINIMAL_V3, 4)]
)
def test_minimal_golden_bytes_are_read_and_written(raw: bytes, version: int) -> None:
    assert decode(raw, version, 1) == minimal()
    assert encode_manifest(minimal(), format_version=version) == raw


@pytest.mark.parametrize("raw", [FULL_HAMBA, FULL_FASTAVRO], ids=["hamba", "fastavro"])
def test_full_golden_bytes_are_read_in_both_framings(raw: bytes) -> None:
    assert decode(raw) == full()


def test_full_golden_bytes_are_written() -> None:
    assert (len(FULL_HAMBA), len(FULL_FASTAVRO)) == (299, 283)
    assert encode_manifest(full()) == FULL_FASTAVRO


def test_reference_encoder_gives_the_golden_hamba_bytes() -> None:
    assert encode(manifest_schema(4), as_entry(full())) == FULL_HAMBA


@pytest.mark.parametrize("version", [0, 1, 2, 3])
@pytest.mark.parametrize("raw", [FULL_HAMBA, FULL_FASTAVRO], ids=["hamba", "fastavro"])
def test_an_older_schema_does_not_fit_the_full_bytes(raw: bytes, version: int) -> None:
    with pytest.raises(SnapshotCorrupt, match=r"1001\.avro.* at byte \d+ of \d+"):
        decode(raw, version)


def test_a_minimal_file_of_variant_5a_shows_by_one_trailing_byte() -> None:
    with pytest.raises(SnapshotCorrupt, match="1 bytes are left over after byte 24 of 25"):
        decode(MINIMAL_V5, 4, 1)


@pytest.mark.parametrize("version", [-1, 5, 99])
def test_unknown_format_versions_are_refused(version: int) -> None:
    with pytest.raises(UnsupportedFormat, match=f"version {version} is not supported; .* version is 4"):
        decode(FULL_HAMBA, version)
    with pytest.raises(UnsupportedFormat):
        encode_manifest(full(), format_version=version)


@given(VERSIONS.flatmap(lambda version: st.tuples(st.just(version), manifests(version))))
def test_what_is_written_is_read_back(case: tuple[int, SegmentManifest]) -> None:
    version, manifest = case
    raw = encode_manifest(manifest, format_version=version)
    assert decode(raw, version, manifest.segment_id) == manifest


@given(VERSIONS.flatmap(lambda version: st.tuples(st.just(version), manifests(version))))
def test_hamba_framing_is_read_the_same(case: tuple[int, SegmentManifest]) -> None:
    version, manifest = case
    raw = encode(manifest_schema(version), as_entry(manifest))
    assert decode(raw, version, manifest.segment_id) == manifest


def test_arrays_of_several_blocks_are_read() -> None:
    log = full().binlog_files[0].binlogs[0]
    many = tuple(log.model_copy(update={"log_id": number}) for number in range(250))
    manifest = full().model_copy(update={"binlog_files": (FieldBinlog(field_id=7, binlogs=many),)})
    assert decode(encode(manifest_schema(4), as_entry(manifest))) == manifest


def test_unsigned_values_above_2_63_survive() -> None:
    end = 2**64 - 1
    position = Position(timestamp=end)
    manifest = full().model_copy(update={"dml_position": position, "commit_timestamp": end})
    entry = fastavro.schemaless_reader(BytesIO(encode_manifest(manifest)), plain_schema(), None)
    assert isinstance(entry, dict)
    assert entry["commit_timestamp"] == -1
    assert decode(encode_manifest(manifest)) == manifest


def plain_schema() -> Any:
    """The V4 schema as other readers see it, without logical types."""

    def plain(schema: Any) -> Any:
        if isinstance(schema, dict):
            hidden = ("logicalType", "__fastavro_parsed__", "__named_schemas")
            return {name: plain(each) for name, each in schema.items() if name not in hidden}
        return [plain(each) for each in schema] if isinstance(schema, list) else schema

    return fastavro.parse_schema(plain(manifest_schema(4)))


def test_entries_per_field_are_written_in_order_of_field_id() -> None:
    first, second = (
        TextIndex(field_id=field, version=1, files=(), log_size=0, memory_size=0, build_id=5)
        for field in (3, 9)
    )
    shuffled = full().model_copy(update={"text_index_files": (second, first)})
    assert decode(encode_manifest(shuffled)).text_index_files == (first, second)


@pytest.mark.parametrize(
    ("version", "lost", "change"),
    [
        (1, "index_store_path_version", {}),
        (2, "commit_timestamp", {}),
        (3, "child_fields or format", {}),
        (3, "child_fields or format", {"binlog_files": (FieldBinlog(field_id=1, format="lance"),)}),
    ],
)
def test_a_version_that_cannot_hold_the_segment_is_not_written(
    version: int, lost: str, change: dict[str, object]
) -> None:
    with pytest.raises(UnsupportedFormat, match=f"segment 1001: format version {version} cannot hold {lost}"):
        encode_manifest(full().model_copy(update=change), format_version=version)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"segment_id": 7}, SnapshotCorrupt, "segment_id: expected 1001 as in the file's name, found 7"),
        ({"segment_level": 4}, SnapshotCorrupt, "segment_level: expected 0 to 3, found 4"),
        ({"storage_version": 1}, UnsupportedFormat, "storage_version: expected one of 0, 2 and 3, found 1"),
        ({"storage_version": 4}, UnsupportedFormat, "storage_version: .* found 4"),
    ],
)
def test_a_segment_that_its_file_does_not_announce_is_refused(
    change: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=f"{re.escape(key_of(1001))}: {message}"):
        decode(encode_manifest(full().model_copy(update=change)))


def test_an_entry_whose_stats_are_of_another_field_is_refused() -> None:
    entry = as_entry(full())
    entry["text_index_files"][0]["stats"]["field_id"] = 55
    with pytest.raises(
        SnapshotCorrupt, match=r"text_index_files: expected stats of field 101, found .* field 55"
    ):
        decode(encode(manifest_schema(4), entry))


@pytest.mark.parametrize("key", ["files/a/x.avro", "files/a/1001", "files/a/-1.avro", "1001.avro.bak", ""])
def test_a_file_name_without_segment_id_is_refused(key: str) -> None:
    with pytest.raises(SnapshotCorrupt, match="file name must be its segment id"):
        decode_manifest(FULL_HAMBA, format_version=4, key=key)


def test_a_key_without_folder_is_enough() -> None:
    assert manifest_segment_id("1001.avro") == 1001


def test_text_that_is_not_utf8_is_named_with_its_place() -> None:
    with pytest.raises(SnapshotCorrupt, match=r"at byte \d+ of 24: a text is not UTF-8"):
        decode(MINIMAL_V3.replace(b"\x02c", b"\x02\xff"), 4, 1)


@pytest.mark.parametrize(
    "tail", [zigzag(2**62), zigzag(-(2**63)) + zigzag(3), zigzag(-(2**62)) + zigzag(2**62)]
)
def test_wild_counts_cost_neither_memory_nor_time(tail: bytes) -> None:
    head = MINIMAL_V3[: 24 - 7]
    is_refused_cheaply(head + tail + b"\x02" * 50)


@pytest.mark.parametrize("length", [2**62, 2**40, -1, -(2**62)])
def test_wild_lengths_cost_neither_memory_nor_time(length: int) -> None:
    is_refused_cheaply(MINIMAL_V3[:3] + zigzag(length) + b"abc" * 20)


def is_refused_cheaply(raw: bytes) -> None:
    tracemalloc.start()
    started = time.process_time()
    try:
        with pytest.raises(SnapshotCorrupt, match=r"1\.avro: no segment manifest .* at byte \d+"):
            decode(raw, 4, 1)
        assert time.process_time() - started < 1
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


RAWS = st.one_of(
    st.sampled_from([FULL_HAMBA, FULL_FASTAVRO]), manifests(4).map(encode_manifest), st.binary(max_size=80)
)


def survives(raw: bytes, version: int) -> None:
    try:
        found = decode(raw, version, 1001)
    except (SnapshotCorrupt, UnsupportedFormat):
        return
    assert found.segment_id == 1001
    in_order = decode(encode_manifest(found))
    assert as_entry(in_order).keys() == as_entry(found).keys()
    assert encode_manifest(in_order) == encode_manifest(found)


@given(st.data(), RAWS, VERSIONS)
def test_no_truncation_gives_anything_but_a_named_failure(
    data: st.DataObject, raw: bytes, version: int
) -> None:
    survives(raw[: data.draw(st.integers(0, len(raw)))], version)


@given(RAWS, st.binary(min_size=1, max_size=20), VERSIONS)
def test_no_trailing_bytes_give_anything_but_a_named_failure(raw: bytes, tail: bytes, version: int) -> None:
    survives(raw + tail, version)


@given(st.sampled_from([FULL_HAMBA, FULL_FASTAVRO]), st.binary(min_size=1, max_size=20))
def test_trailing_bytes_are_always_refused(raw: bytes, tail: bytes) -> None:
    with pytest.raises(SnapshotCorrupt, match="left over"):
        decode(raw + tail)


@given(st.sampled_from([FULL_HAMBA, FULL_FASTAVRO]), st.integers(0, 282))
def test_truncation_is_always_refused(raw: bytes, length: int) -> None:
    with pytest.raises(SnapshotCorrupt):
        decode(raw[:length])


@settings(max_examples=500)
@given(st.data(), RAWS, VERSIONS)
def test_no_byte_flips_give_anything_but_a_named_failure(
    data: st.DataObject, raw: bytes, version: int
) -> None:
    assume(raw)
    flipped = bytearray(raw)
    places = st.tuples(st.integers(0, len(raw) - 1), st.integers(0, 255))
    for place, byte in data.draw(st.lists(places, min_size=1, max_size=4)):
        flipped[place] = byte
    survives(bytes(flipped), version)
