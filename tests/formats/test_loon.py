"""A StorageV3 segment's own manifest: what it names, and what is no such manifest."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formats.errors import SnapshotCorrupt
from formats.loon import LoonManifest, read_loon, write_loon
from samples.loon_manifest import Columns, Contents, container, plain

BASE = "files/insert_log/111/222/333"
KEY = f"{BASE}/_metadata/manifest-1.avro"
MAGIC = bytes.fromhex("acb1cad409")

names = st.text(st.characters(codec="utf-8"), max_size=12)
rows = st.integers(0, 2**63 - 1)
contents = st.builds(
    Contents,
    columns=st.lists(
        st.builds(
            Columns,
            fields=st.lists(st.integers(0, 200), max_size=3).map(tuple),
            files=st.dictionaries(names.map("_data/{}".format), rows, max_size=3),
            format=st.sampled_from(["parquet", "vortex"]),
        ),
        max_size=3,
    ),
    deltas=st.dictionaries(names.map("_delta/{}".format), rows, max_size=3),
    stats=st.dictionaries(names, st.lists(names.map("_stats/{}".format), max_size=3), max_size=3),
)


def read(raw: bytes) -> LoonManifest:
    return read_loon(raw, key=KEY, base_path=BASE)


def of_columns(*paths: str) -> Contents:
    return Contents([Columns((100,), dict.fromkeys(paths, 1), "parquet")], {}, {})


@settings(deadline=None)
@given(contents, st.booleans())
def test_every_file_of_version_1_is_named_in_both_framings(named: Contents, sized: bool) -> None:
    paths = [
        *(path for each in named.columns for path in each.files),
        *named.deltas,
        *(path for each in named.stats.values() for path in each),
    ]
    assert read(plain(named, sized=sized)) == LoonManifest(
        readable=True, files=tuple(f"{BASE}/{path}" for path in paths)
    )


def test_what_we_write_is_what_another_writer_would_write() -> None:
    other = Contents(
        [Columns((100,), {"_data/a": 5}, "parquet")], {"_delta/1": 2}, {"bloom_filter.100": ["_stats/b"]}
    )
    written = write_loon(
        files={"_data/a": 5}, deltas={"_delta/1": 2}, stats={"bloom_filter.100": ["_stats/b"]}
    )
    assert written == plain(other, sized=False)


def test_a_path_may_be_a_full_key_or_lie_in_another_system() -> None:
    found = read(plain(of_columns(f"{BASE}/_data/a", "_data/b", "s3://lake/table/c.parquet"), sized=True))
    assert found.files == (f"{BASE}/_data/a", f"{BASE}/_data/b")


@pytest.mark.parametrize("start", ["../lobs", "files/insert_log/111/222/lobs", "lobs"])
def test_large_objects_are_told_apart(start: str) -> None:
    found = read(
        plain(of_columns("_data/a", f"{start}/105/_data/x.vx", f"{start}/106/_data/y.vx"), sized=False)
    )
    assert found.lobs == ((105, "x.vx"), (106, "y.vx"))
    assert found.files == (f"{BASE}/_data/a",)


@pytest.mark.parametrize("version", [2, 3])
def test_a_newer_version_is_read_where_the_layout_fits_and_left_unread_where_not(version: int) -> None:
    raw = plain(of_columns("_data/a"), sized=False)
    newer = MAGIC + bytes([2 * version]) + raw[len(MAGIC) + 1 :]
    assert read(newer).files == (f"{BASE}/_data/a",)
    assert read(newer + b"\0") == LoonManifest(readable=False)


def test_of_a_container_only_large_objects_are_known() -> None:
    found = read(container(of_columns("_data/a"), ["../lobs/105/_data/x.vx"]))
    assert found == LoonManifest(readable=False, lobs=((105, "x.vx"),))


@settings(deadline=None)
@given(contents, st.data())
def test_a_manifest_that_is_cut_or_longer_is_corrupt(named: Contents, data: st.DataObject) -> None:
    raw = plain(named, sized=data.draw(st.booleans()))
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    for damaged in (cut, raw + b"\0"):
        with pytest.raises(SnapshotCorrupt, match=r"manifest-1\.avro: StorageV3 manifest"):
            read(damaged)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "an empty object"),
        (b"<html>not found</html>", "magic MILV"),
        (MAGIC + b"\x08", "found 4"),
        (MAGIC + b"\x00", "found 0"),
        (b"Obj\x01damaged", "damaged Avro container"),
    ],
    ids=["empty", "another file", "version 4", "version 0", "no container"],
)
def test_what_is_no_manifest_is_corrupt_with_the_reason(raw: bytes, says: str) -> None:
    with pytest.raises(SnapshotCorrupt, match=says):
        read(raw)
