"""A restored collection as Milvus's own debugging tool shows it: nothing but the restore, without complaint.

Birdwatcher 1.1.1 reads with the messages of Milvus 2.6. It has no command for copy-segment jobs and lists no
statistics of BM25: of these its tree of keys is compared, and the records are read by `tests.audit`.
"""

import platform
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import chain

import pytest

from formats.segment import FieldBinlog, SegmentManifest
from samples.snapshot import WrittenSample
from tests.audit.protobuf import message
from tests.fidelity.birdwatcher import Birdwatcher, Build, Complaint, Log
from tests.fidelity.ground import Ground
from tests.fidelity.test_storage_versions import EVERYTHING

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="its wheel has no binary for this machine"
)

LEVELS = {0: "Legacy", 1: "L0", 2: "L1", 3: "L2"}
COMPLETED = 3


@dataclass(frozen=True)
class Seen:
    """A restored collection, and who looks at it; `segments` are the new ids by the source's."""

    ground: Ground
    written: WrittenSample
    collection: int
    segments: dict[int, int]
    birdwatcher: Birdwatcher

    def key(self, prefix: str) -> str:
        """The first record below a prefix of this collection."""
        return min(
            key for key, _ in self.ground.home.scan(f"{self.ground.home.meta}/{prefix}/{self.collection}/")
        )

    def owner(self, manifest: SegmentManifest) -> str:
        """The ids in a segment's paths."""
        return f"{self.collection}/{self.partition(manifest)}/{self.segments[manifest.segment_id]}"

    def partition(self, manifest: SegmentManifest) -> int:
        """The partition that Birdwatcher knows by the name of a segment's own."""
        names = {number: name for name, number in self.written.shape.partition_ids.items()}
        if manifest.partition_id == -1:
            return -1
        return self.birdwatcher.partitions(self.collection)[names[manifest.partition_id]]


@pytest.fixture(scope="module")
async def seen(
    shared_ground: Ground, etcd_endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Seen]:
    """One of everything, restored into a deployment that a Milvus has been in."""
    home = shared_ground.home
    home.write(f"{home.meta}/session/id", b"10")
    written = shared_ground.sample(EVERYTHING)
    restored = await shared_ground.restored(written)
    ((_, job),) = home.scan(f"{home.meta}/datacoord-meta/copy-segment-job/")
    mappings = message("data.CopySegmentJob", job)["id_mappings"]
    pairs = {each["source_segment_id"]: each["target_segment_id"] for each in mappings}
    birdwatcher = Birdwatcher(etcd_endpoint, home.etcd_root, tmp_path_factory.mktemp("birdwatcher"))
    yield Seen(shared_ground, written, restored.collection, pairs, birdwatcher)
    shared_ground.clear()


def test_it_lists_the_restored_segments_and_no_other(seen: Seen) -> None:
    channels = seen.birdwatcher.channels(seen.collection)
    expected = {
        seen.segments[each.segment_id]: {
            "CollectionID": seen.collection,
            "PartitionID": seen.partition(each),
            "State": "Flushed",
            "Level": LEVELS[each.segment_level],
            "NumOfRows": each.num_of_rows,
            "InsertChannel": channels[each.channel_name.rpartition("v")[2]],
            "StorageVersion": each.storage_version,
            "IsSorted": each.is_sorted,
            "CompactionFrom": None,
        }
        for each in seen.written.manifests
    }
    found = seen.birdwatcher.segments(seen.collection)
    assert len(found) == EVERYTHING.all_segments
    assert {
        number: {name: each[name] for name in expected[number]} for number, each in found.items()
    } == expected


def test_it_finds_every_log_where_the_restore_put_it(seen: Seen) -> None:
    details = seen.birdwatcher.details(seen.collection)
    objects = seen.ground.home.image().objects
    for each in seen.written.manifests:
        found = details[seen.segments[each.segment_id]]
        assert sorted(found.logs, key=str) == sorted(shown_logs(each, seen.owner(each)), key=str)
        if each.storage_version != 3:
            assert {f"{seen.ground.root}/{log.path}" for log in found.logs} <= objects.keys()
        packed = {field.field_id: [*field.child_fields] for field in each.binlog_files if field.child_fields}
        assert found.groups == packed
    assert any(details[each].groups for each in details)


def test_its_positions_are_on_the_targets_channels(seen: Seen) -> None:
    channels = seen.birdwatcher.channels(seen.collection)
    details = seen.birdwatcher.details(seen.collection)
    for each in seen.written.manifests:
        channel = channels[each.channel_name.rpartition("v")[2]]
        assert details[seen.segments[each.segment_id]].channels == {channel}


def test_it_reads_the_statistics_of_text_and_json(seen: Seen) -> None:
    details = seen.birdwatcher.details(seen.collection)
    for each in seen.written.manifests:
        found = details[seen.segments[each.segment_id]]
        texts = {text.field_id: [base(path) for path in text.files] for text in each.text_index_files}
        assert found.texts == texts
        assert found.jsons.keys() == {json.field_id for json in each.json_key_index_files}
        for json in each.json_key_index_files:
            shown = found.jsons[json.field_id]
            assert shown["json_key_stats_data_format"] == json.json_key_stats_data_format
            assert (shown["log_size"], shown["memory_size"]) == (json.log_size, json.memory_size)
            assert [base(path) for path in shown["files"]] == [base(path) for path in json.files]
            assert shown["buildID"] != json.build_id
    built = [chain(each.texts, each.jsons) for each in details.values()]
    assert sum(map(bool, map(list, built))) > 1


def test_it_lists_every_index_as_finished_and_under_its_name(seen: Seen) -> None:
    names, found = seen.birdwatcher.indexes(seen.collection), seen.birdwatcher.builds(seen.collection)
    assert found.keys() == set(seen.segments.values())
    for each in seen.written.manifests:
        shown = {names[build.index_id]: build for build in found[seen.segments[each.segment_id]]}
        assert shown.keys() == {index.index_name for index in each.index_files}
        for index in each.index_files:
            params = {pair.key: pair.value for pair in index.index_params}
            build = shown[index.index_name]
            assert build == Build(
                index_id=build.index_id,
                build_id=build.build_id,
                state="Finished",
                kind=params["index_type"],
                field_id=index.field_id,
                size=index.serialized_size,
                engine=index.current_index_version,
                files=tuple(map(base, index.index_file_paths)),
            )


def test_no_build_is_listed_twice_or_is_the_sources(seen: Seen) -> None:
    found = [build.build_id for each in seen.birdwatcher.builds(seen.collection).values() for build in each]
    own = {index.build_id for each in seen.written.manifests for index in each.index_files}
    assert len(set(found)) == len(found) == len(own)
    assert own.isdisjoint(found)


def test_its_tree_of_keys_has_the_job_its_tasks_and_the_statistics_of_bm25(seen: Seen) -> None:
    home, tree = seen.ground.home, seen.birdwatcher
    (job,) = tree.keys("datacoord-meta/copy-segment-job", 1)
    tasks = tree.keys("datacoord-meta/copy-segment-task", 1)
    ((_, value),) = home.scan(f"{home.meta}/datacoord-meta/copy-segment-job/{job}")
    assert message("data.CopySegmentJob", value)["state"] == COMPLETED
    mapped = set()
    for number in tasks:
        ((_, value),) = home.scan(f"{home.meta}/datacoord-meta/copy-segment-task/{number}")
        task = message("data.CopySegmentTask", value)
        assert (task["state"], task["job_id"]) == (COMPLETED, int(job))
        mapped |= {each["target_segment_id"] for each in task["id_mappings"]}
    assert mapped == set(seen.segments.values())
    assert tree.keys(f"datacoord-meta/bm25log/{seen.collection}", 3) == {
        f"{seen.owner(each).partition('/')[2]}/{field.field_id}"
        for each in seen.written.manifests
        for field in each.bm25_statslog_files
    }


@pytest.mark.parametrize("item", ["MIXED_BINLOGS", "DYNAMIC_ATTR_MISMATCH"])
def test_its_health_check_finds_nothing(seen: Seen, item: str) -> None:
    assert seen.birdwatcher.ask(f"healthz-check --items {item}").strip() == ""


@pytest.mark.parametrize("prefix", ["datacoord-meta/s", "datacoord-meta/statslog", "segment-index"])
def test_it_would_complain_of_a_record_that_it_cannot_read(seen: Seen, prefix: str) -> None:
    key = seen.key(prefix)
    ((_, value),) = seen.ground.home.scan(key)
    seen.ground.home.write(key, b"\xff\xff\xff")
    try:
        with pytest.raises(Complaint, match=key):
            seen.birdwatcher.ask("show segment --format table --detail, show segment-index")
    finally:
        seen.ground.home.write(key, value)


def shown_logs(manifest: SegmentManifest, owner: str) -> list[Log]:
    """The logs of the kinds that Birdwatcher lists, at the paths that it makes of ids."""

    def of(folder: str, fields: tuple[FieldBinlog, ...], *, by_field: bool) -> list[Log]:
        return [
            Log(
                f"{folder}/{owner}/{field.field_id}/{log.log_id}"
                if by_field
                else f"{folder}/{owner}/{log.log_id}",
                log.log_id,
                log.entries_num,
            )
            for field in fields
            for log in field.binlogs
        ]

    return [
        *of("insert_log", manifest.binlog_files, by_field=True),
        *of("stats_log", manifest.statslog_files, by_field=True),
        *of("delta_log", manifest.deltalog_files, by_field=False),
    ]


def base(path: str) -> str:
    return path.rpartition("/")[2]
