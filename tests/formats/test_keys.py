import inspect

import pytest

from formats.keys import MetaKeys

KEYS = MetaKeys()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (KEYS.segment(444, 555, 666), "by-dev/meta/datacoord-meta/s/444/555/666"),
        (KEYS.segment(444, -1, 666), "by-dev/meta/datacoord-meta/s/444/-1/666"),
        (KEYS.binlog(444, 555, 666, 102), "by-dev/meta/datacoord-meta/binlog/444/555/666/102"),
        (KEYS.statslog(444, 555, 666, 100), "by-dev/meta/datacoord-meta/statslog/444/555/666/100"),
        (KEYS.deltalog(444, 555, 666, 0), "by-dev/meta/datacoord-meta/deltalog/444/555/666/0"),
        (KEYS.bm25log(444, 555, 666, 103), "by-dev/meta/datacoord-meta/bm25log/444/555/666/103"),
        (KEYS.segment_index(444, 555, 666, 2001), "by-dev/meta/segment-index/444/555/666/2001"),
        (KEYS.field_index(444, 777), "by-dev/meta/field-index/444/777"),
        (
            KEYS.channel_checkpoint("by-dev-rootcoord-dml_3_444v0"),
            "by-dev/meta/datacoord-meta/channel-cp/by-dev-rootcoord-dml_3_444v0",
        ),
        (KEYS.copy_segment_job(9), "by-dev/meta/datacoord-meta/copy-segment-job/9"),
        (KEYS.copy_segment_task(8), "by-dev/meta/datacoord-meta/copy-segment-task/8"),
        (KEYS.snapshot(100, 4611), "by-dev/meta/datacoord-meta/snapshot/100/4611"),
        (KEYS.database(1), "by-dev/meta/root-coord/database/db-info/1"),
        (KEYS.collection(1, 444), "by-dev/meta/root-coord/database/collection-info/1/444"),
        (KEYS.legacy_collection(444), "by-dev/meta/root-coord/collection/444"),
        (KEYS.partition(444, 555), "by-dev/meta/root-coord/partitions/444/555"),
        (KEYS.field(444, 100), "by-dev/meta/root-coord/fields/444/100"),
        (KEYS.struct_array_field(444, 104), "by-dev/meta/root-coord/struct-array-fields/444/104"),
        (KEYS.function(444, 1000), "by-dev/meta/root-coord/functions/444/1000"),
        (KEYS.alias(1, "latest"), "by-dev/meta/root-coord/database/aliases/1/latest"),
        (KEYS.session("rootcoord"), "by-dev/meta/session/rootcoord"),
        (KEYS.timestamp, "by-dev/kv/gid/timestamp"),
        (KEYS.reservation(444), "by-dev/milvus-restore/reservation/444"),
        (KEYS.reservations, "by-dev/milvus-restore/reservation/"),
        (KEYS.id_counter, "by-dev/milvus-restore/id-counter"),
    ],
)
def test_keys_are_those_of_the_catalog(key: str, expected: str) -> None:
    assert key == expected


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (KEYS.segments(), "by-dev/meta/datacoord-meta/s/"),
        (KEYS.segments(444), "by-dev/meta/datacoord-meta/s/444/"),
        (KEYS.binlogs(444, 555, 666), "by-dev/meta/datacoord-meta/binlog/444/555/666/"),
        (KEYS.segment_indexes(444), "by-dev/meta/segment-index/444/"),
        (KEYS.snapshots(), "by-dev/meta/datacoord-meta/snapshot/"),
        (KEYS.legacy_collections, "by-dev/meta/root-coord/collection/"),
    ],
)
def test_prefixes_narrow_with_each_id(prefix: str, expected: str) -> None:
    assert prefix == expected


@pytest.mark.parametrize(
    ("key", "prefix"),
    [
        (KEYS.segment(1, 2, 3), KEYS.segments(1, 2)),
        (KEYS.binlog(1, 2, 3, 4), KEYS.binlogs(1)),
        (KEYS.statslog(1, 2, 3, 4), KEYS.statslogs(1)),
        (KEYS.deltalog(1, 2, 3, 4), KEYS.deltalogs(1)),
        (KEYS.bm25log(1, 2, 3, 4), KEYS.bm25logs(1)),
        (KEYS.segment_index(1, 2, 3, 4), KEYS.segment_indexes(1, 2, 3)),
        (KEYS.field_index(1, 2), KEYS.field_indexes(1)),
        (KEYS.copy_segment_job(1), KEYS.copy_segment_jobs),
        (KEYS.copy_segment_task(1), KEYS.copy_segment_tasks),
        (KEYS.snapshot(1, 2), KEYS.snapshots(1)),
        (KEYS.database(1), KEYS.databases),
        (KEYS.collection(1, 2), KEYS.collections(1)),
        (KEYS.legacy_collection(1), KEYS.legacy_collections),
        (KEYS.partition(1, 2), KEYS.partitions(1)),
        (KEYS.field(1, 2), KEYS.fields(1)),
        (KEYS.struct_array_field(1, 2), KEYS.struct_array_fields(1)),
        (KEYS.function(1, 2), KEYS.functions(1)),
        (KEYS.alias(1, "a"), KEYS.aliases(1)),
    ],
)
def test_a_key_lies_below_its_prefix_and_below_no_neighbour(key: str, prefix: str) -> None:
    assert prefix.endswith("/")
    assert key.startswith(prefix)
    assert not prefix.startswith(key)


def every_key(keys: MetaKeys) -> list[str]:
    found: list[str] = []
    for name in dir(keys):
        if not name.startswith("_") and name not in ("root_path", "meta_sub_path"):
            member = getattr(keys, name)
            if callable(member):
                wanted = inspect.signature(member).parameters.values()
                member = member(*(7 for each in wanted if each.kind is not each.VAR_POSITIONAL))
            found.append(member)
    return found


@pytest.mark.parametrize(
    ("root", "sub", "start"),
    [
        ("by-dev", "meta", "by-dev/"),
        ("by-dev", "", "by-dev/"),
        ("", "meta", ""),
        ("", "", ""),
        ("/a/b/", "/meta/", "a/b/"),
        ("by-dev/", "c/d", "by-dev/"),
    ],
)
def test_no_root_gives_a_doubled_or_leading_slash(root: str, sub: str, start: str) -> None:
    keys = every_key(MetaKeys(root, sub))
    assert len(keys) > 30
    for key in keys:
        assert "//" not in key
        assert not key.startswith("/")
        assert key.startswith(start)


def test_empty_paths_leave_only_the_record() -> None:
    assert MetaKeys("", "").segment(1, 2, 3) == "datacoord-meta/s/1/2/3"
    assert MetaKeys("", "meta").timestamp == "kv/gid/timestamp"
    assert MetaKeys("", "").reservation(1) == "milvus-restore/reservation/1"
