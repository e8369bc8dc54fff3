from collections.abc import Mapping

import pytest

from formats.errors import InvalidRequest, SnapshotCorrupt
from formats.paths import Relocation, base_name, below_field, prefixes, relocate


def move(
    source: str = "files",
    target: str = "files",
    *,
    partition: int = 555,
    builds: Mapping[int, int] | None = None,
) -> Relocation:
    return Relocation(source, target, 444, partition, 666, {1001: 2001} if builds is None else builds)


# The table of segment-restore.md, section 2.2, row by row.
TABLE = {
    "insert": ("insert_log/111/222/333/100/12345", "insert_log/444/555/666/100/12345"),
    "V3 file": ("insert_log/111/222/333/_data/0_abc.parquet", "insert_log/444/555/666/_data/0_abc.parquet"),
    "V3 stat": (
        "insert_log/111/222/333/_stats/bm25.100/12345",
        "insert_log/444/555/666/_stats/bm25.100/12345",
    ),
    "V3 manifest": (
        "insert_log/111/222/333/_metadata/manifest-2.avro",
        "insert_log/444/555/666/_metadata/manifest-2.avro",
    ),
    "stats": ("stats_log/111/222/333/100/1", "stats_log/444/555/666/100/1"),
    "delta": ("delta_log/111/222/333/9", "delta_log/444/555/666/9"),
    "BM25": ("bm25_stats/111/222/333/102/7", "bm25_stats/444/555/666/102/7"),
    "index, layout 0": ("index_files/1001/1/222/333/HNSW_3", "index_files/2001/1/555/666/HNSW_3"),
    "index, layout 1": ("index_v1/111/222/333/1001/1/HNSW_3", "index_v1/444/555/666/2001/1/HNSW_3"),
    "text index": ("text_log/1001/1/111/222/333/101/f_0", "text_log/2001/1/444/555/666/101/f_0"),
    "JSON key index": (
        "json_key_index_log/1001/1/111/222/333/103/f",
        "json_key_index_log/2001/1/444/555/666/103/f",
    ),
    "JSON stats": (
        "json_stats/2/1001/1/111/222/333/103/shredding_data/0",
        "json_stats/2/2001/1/444/555/666/103/shredding_data/0",
    ),
    "LOB": ("insert_log/111/222/lobs/105/_data/a.vx", "insert_log/444/555/lobs/105/_data/a.vx"),
}
ROWS = pytest.mark.parametrize(("source", "target"), TABLE.values(), ids=TABLE.keys())
BUILT = {kind: row for kind, row in TABLE.items() if "1001" in row[0]}


@ROWS
@pytest.mark.parametrize(
    ("source_root", "target_root"),
    [
        ("files", "files"),
        ("", ""),
        ("", "files"),
        ("files", ""),
        ("a/b", "c"),
        ("insert_log/x", "files"),
        ("files", "json_stats/2/insert_log"),
        ("files/", "to/"),
        ("/var/lib/milvus", "/mnt/milvus"),
    ],
)
def test_ids_change_by_position_and_everything_else_stays(
    source: str, target: str, source_root: str, target_root: str
) -> None:
    def at(root: str, path: str) -> str:
        return f"{root.rstrip('/')}/{path}" if root else path

    assert relocate(at(source_root, source), move(source_root, target_root)) == at(target_root, target)


@pytest.mark.parametrize(
    "path",
    [
        "insert_log/111/222/333",
        "insert_log/111/222/lobs/105/_data",
        "stats_log/111/222/333/100",
        "delta_log/111/222/333",
        "bm25_stats/111/222/333/102",
        "index_files/1001/1/222/333",
        "index_v1/111/222/333/1001/1",
        "text_log/1001/1/111/222/333/101",
        "json_key_index_log/1001/1/111/222/333/103",
        "json_stats/2/1001/1/111/222/333/103",
        "insert_log",
    ],
)
def test_a_path_of_fewer_components_than_its_layout_is_corrupt(path: str) -> None:
    with pytest.raises(SnapshotCorrupt, match="invalid structure"):
        relocate(f"files/{path}", move())


@ROWS
def test_an_id_that_is_not_a_number_is_corrupt(source: str, target: str) -> None:
    for place, (old, new) in enumerate(zip(source.split("/"), target.split("/"), strict=True)):
        if old != new:
            for wrong in ("abc", "-7", "1.5", "٣", "-"):
                parts = source.split("/")
                parts[place] = wrong
                path = "files/" + "/".join(parts)
                with pytest.raises(SnapshotCorrupt) as raised:
                    relocate(path, move())
                assert repr(path) in str(raised.value)


@pytest.mark.parametrize("kind", ["insert", "stats", "delta", "text index"])
def test_a_segment_of_all_partitions_keeps_the_partition_minus_one(kind: str) -> None:
    source, target = (path.replace("/222/", "/-1/").replace("/555/", "/-1/") for path in TABLE[kind])
    assert relocate(f"files/{source}", move(partition=-1)) == f"files/{target}"


def test_only_the_partition_may_be_minus_one() -> None:
    for path in (
        "files/delta_log/-1/222/333/9",
        "files/delta_log/111/222/-1/9",
        "files/delta_log/-1/-1/333/9",
    ):
        with pytest.raises(SnapshotCorrupt):
            relocate(path, move())


@pytest.mark.parametrize(("source", "target"), BUILT.values(), ids=BUILT.keys())
def test_a_build_id_that_has_no_new_one_is_kept(source: str, target: str) -> None:
    kept = target.replace("2001", "1001")
    assert relocate(f"files/{source}", move(builds={7: 8})) == f"files/{kept}"


@pytest.mark.parametrize(("source", "target"), BUILT.values(), ids=BUILT.keys())
def test_build_zero_stands_for_no_build_and_is_kept(source: str, target: str) -> None:
    none, kept = source.replace("1001", "0"), target.replace("2001", "0")
    assert relocate(f"files/{none}", move(builds={0: 5, 1001: 2001})) == f"files/{kept}"


def test_the_text_between_root_and_keyword_is_dropped() -> None:
    assert relocate("bundle/files/delta_log/1/2/3/9", move("bundle", "t")) == "t/delta_log/444/555/666/9"


def test_the_first_keyword_below_the_root_decides() -> None:
    path = "files/insert_log/111/222/333/_stats/stats_log/1/2/3"
    assert relocate(path, move()) == "files/insert_log/444/555/666/_stats/stats_log/1/2/3"


@pytest.mark.parametrize(
    "path",
    [
        "other/insert_log/111/222/333/100/1",
        "filesystem/insert_log/111/222/333/100/1",
        "insert_log/111/222/333/100/1",
        "/files/insert_log/111/222/333/100/1",
        "files/../insert_log/111/222/333/100/1",
        "files/insert_log/111/222/333/100/../../1",
        "files/insert_log/../222/333/100/1",
    ],
)
def test_a_path_outside_its_root_is_refused_by_name(path: str) -> None:
    with pytest.raises(InvalidRequest) as raised:
        relocate(path, move())
    assert repr(path) in str(raised.value)
    assert "'files'" in str(raised.value)


@pytest.mark.parametrize(
    "path",
    [
        "files//insert_log/111/222/333/100/1",
        "files/insert_log//222/333/100/1",
        "files/insert_log/111/222/333/100/",
        "files/insert_log/111/222/333/./1",
        "files/",
        "files/snapshots/111/metadata/1.json",
        "files/insert_logs/111/222/333/100/1",
        "files/INSERT_LOG/111/222/333/100/1",
    ],
)
def test_a_path_that_is_no_object_of_a_segment_is_corrupt(path: str) -> None:
    with pytest.raises(SnapshotCorrupt) as raised:
        relocate(path, move())
    assert repr(path) in str(raised.value)


def test_a_misshapen_path_is_told_the_layout_it_should_have() -> None:
    with pytest.raises(SnapshotCorrupt, match=r"index_files/\{build\}/\{version\}/\{part\}/\{seg\}/\{file\}"):
        relocate("files/index_files/1001/HNSW", move())


def test_a_base_name_is_the_last_component() -> None:
    assert base_name("files/index_files/1001/1/222/333/HNSW_3") == "HNSW_3"
    assert base_name("HNSW") == "HNSW"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("files/json_stats/2/1001/1/111/222/333/103/shredding_data/0", "shredding_data/0"),
        ("files/json_stats/2/1001/1/111/222/333/103/shared_key_index/a/b", "shared_key_index/a/b"),
        ("json_stats/2/1001/1/111/222/333/103/meta.json", "meta.json"),
        ("files/json_key_index_log/1001/1/111/222/333/103/f", "f"),
        ("files/insert_log/111/222/333/_stats/json_stats.103/shredding_data/0", "shredding_data/0"),
        ("_stats/json_stats.103/shared_key_index/a", "shared_key_index/a"),
        ("json_stats/x/json_stats/2/1001/1/111/222/333/103/shredding_data/0", "shredding_data/0"),
    ],
)
def test_a_json_path_is_kept_from_below_its_field(path: str, kept: str) -> None:
    assert below_field(path) == kept


@pytest.mark.parametrize(
    "path",
    [
        "files/insert_log/111/222/333/103/5",
        "files/insert_log/111/222/333/_stats/bm25.103/0",
        "files/insert_log/111/222/333/_stats/json_stats.103",
        "files/json_stats/2/1001",
        "shredding_data/0",
    ],
)
def test_a_path_of_no_json_index_is_corrupt(path: str) -> None:
    with pytest.raises(SnapshotCorrupt) as raised:
        below_field(path)
    assert repr(path) in str(raised.value)


def test_prefixes_are_the_folders_of_a_segment_by_kind() -> None:
    assert prefixes(f"files/{source}" for source, _ in TABLE.values()) == (
        "files/bm25_stats/111/222/333/",
        "files/delta_log/111/222/333/",
        "files/index_files/1001/1/222/333/",
        "files/index_v1/111/222/333/",
        "files/insert_log/111/222/333/",
        "files/insert_log/111/222/lobs/105/",
        "files/json_key_index_log/1001/1/111/222/333/",
        "files/json_stats/2/1001/1/111/222/333/",
        "files/stats_log/111/222/333/",
        "files/text_log/1001/1/111/222/333/",
    )


def test_prefixes_are_few_sorted_and_cover_every_path() -> None:
    paths = [
        f"r/insert_log/1/2/{segment}/{field}/{log}"
        for segment in (33, 3)
        for field in (0, 1)
        for log in (7, 8)
    ]
    assert prefixes(paths) == ("r/insert_log/1/2/3/", "r/insert_log/1/2/33/")
    assert prefixes([]) == ()


def test_prefixes_see_through_a_root_that_looks_like_a_layout() -> None:
    assert prefixes(["insert_log/x/delta_log/1/2/3/9"]) == ("insert_log/x/delta_log/1/2/3/",)


def test_prefixes_refuse_a_path_without_a_layout() -> None:
    with pytest.raises(SnapshotCorrupt, match="files/insert_log/1'"):
        prefixes(["files/insert_log/1"])
