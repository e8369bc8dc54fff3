import time
from collections.abc import Iterator

import pytest

from formats.segment import Binlog, SegmentManifest
from samples.collection import SampleSegment, SampleShape, sample_segment, sample_segments

TINY = SampleShape(segments=2, megabytes=1)
WIDE = SampleShape(segments=24, megabytes=6, dim=16, l0_segments=2)


@pytest.fixture(scope="module")
def wide() -> list[SampleSegment]:
    return list(sample_segments(WIDE))


def logs(manifest: SegmentManifest) -> Iterator[Binlog]:
    for fields in (manifest.binlog_files, manifest.statslog_files, manifest.deltalog_files):
        for field in fields:
            yield from field.binlogs


def paths(manifest: SegmentManifest) -> list[str]:
    return [
        *(log.log_path for log in logs(manifest)),
        *(path for index in manifest.index_files for path in index.index_file_paths),
        *(path for text in manifest.text_index_files for path in text.files),
        *(path for json in manifest.json_key_index_files for path in json.files),
    ]


def builds(manifest: SegmentManifest) -> list[int]:
    indexes = [index.build_id for index in manifest.index_files]
    texts = [text.build_id for text in manifest.text_index_files if text.build_id]
    return [*indexes, *texts, *(json.build_id for json in manifest.json_key_index_files)]


def test_equal_shapes_give_equal_bytes() -> None:
    assert sample_segment(TINY, 1) == sample_segment(TINY.model_copy(), 1)


def test_another_seed_gives_other_bytes() -> None:
    other = sample_segment(TINY.model_copy(update={"seed": 8}), 1)
    assert other.objects != sample_segment(TINY, 1).objects


def test_a_manifest_names_each_object_once(wide: list[SampleSegment]) -> None:
    for segment in wide:
        named = paths(segment.manifest)
        assert len(named) == len(set(named))
        assert set(named) == set(segment.objects)


def test_recorded_sizes_are_those_of_the_objects(wide: list[SampleSegment]) -> None:
    for segment in wide:
        sizes = {key: len(body) for key, body in segment.objects.items()}
        for log in logs(segment.manifest):
            assert log.log_size == sizes[log.log_path]
            assert log.log_path.rsplit("/", 1)[1] == str(log.log_id)
        for index in segment.manifest.index_files:
            assert index.serialized_size == sum(sizes[path] for path in index.index_file_paths)


def test_insert_logs_of_every_field_count_all_rows(wide: list[SampleSegment]) -> None:
    for segment in wide[: WIDE.segments]:
        manifest = segment.manifest
        assert [field.field_id for field in manifest.binlog_files] == [0, 1, *range(100, 109)]
        for field in manifest.binlog_files:
            assert sum(log.entries_num for log in field.binlogs) == manifest.num_of_rows


@pytest.mark.parametrize(("segments", "megabytes"), [(2, 1), (3, 6)])
def test_megabytes_are_met_within_a_tenth(segments: int, megabytes: int) -> None:
    shape = SampleShape(segments=segments, megabytes=megabytes)
    found = sum(len(body) for segment in sample_segments(shape) for body in segment.objects.values())
    assert found == pytest.approx(megabytes * 1e6, rel=0.1)


def test_ids_are_unique_in_the_sample(wide: list[SampleSegment]) -> None:
    log_ids = [log.log_id for each in wide for log in logs(each.manifest) if log.log_id != 1]
    build_ids = [build for each in wide for build in builds(each.manifest)]
    segment_ids = [each.manifest.segment_id for each in wide]
    everything = [*log_ids, *build_ids, *segment_ids, *WIDE.partition_ids.values(), WIDE.collection_id]
    assert len(everything) == len(set(everything))


def test_all_timestamps_are_hybrid_and_past(wide: list[SampleSegment]) -> None:
    now = int(time.time() * 1000) << 18
    for segment in wide:
        manifest = segment.manifest
        for log in logs(manifest):
            assert 1_600_000_000_000 << 18 < log.timestamp_from <= log.timestamp_to < now
        assert manifest.start_position.timestamp <= manifest.dml_position.timestamp < now


def test_every_partition_meets_every_shard(wide: list[SampleSegment]) -> None:
    met = {(each.manifest.partition_id, each.manifest.channel_name) for each in wide[: WIDE.segments]}
    assert len(met) == WIDE.partitions * WIDE.shards
    assert {each.manifest.start_position.channel_name for each in wide} == set(WIDE.virtual_channels)


def test_all_features_occur_and_none_is_everywhere(wide: list[SampleSegment]) -> None:
    manifests = [each.manifest for each in wide[: WIDE.segments]]
    formats = {json.json_key_stats_data_format for each in manifests for json in each.json_key_index_files}
    keys = [path for manifest in manifests for path in paths(manifest)]
    assert {index.index_store_path_version for each in manifests for index in each.index_files} == {0, 1}
    assert formats == {1, 2}
    assert {bool(each.deltalog_files) for each in manifests} == {True, False}
    assert {bool(each.text_index_files) for each in manifests} == {True, False}
    assert {bool(each.json_key_index_files) for each in manifests} == {True, False}
    assert {len(each.binlog_files[0].binlogs) for each in manifests} == {1, 2}
    assert {any(log.log_id == 1 for log in logs(each)) for each in manifests} == {True, False}
    assert any(text.build_id == 0 for each in manifests for text in each.text_index_files)
    for name in ("HNSW", "HNSW_1", "SLICE_META", "marisa_trie_index", "index_length"):
        assert any(key.endswith(f"/{name}") for key in keys)
    for folder in ("/shared_key_index/", "/shredding_data/", "/json_key_index_log/", "/text_log/"):
        assert any(folder in key for key in keys)


def test_a_finished_build_may_have_no_files(wide: list[SampleSegment]) -> None:
    for segment in wide[: WIDE.segments]:
        without = [each.index_name for each in segment.manifest.index_files if not each.index_file_paths]
        assert without == ["thumbnail_flat"]


def test_l0_segments_hold_deletes_only() -> None:
    shape = SampleShape(segments=2, megabytes=1, l0_segments=2)
    of_all, of_one = [sample_segment(shape, number).manifest for number in (2, 3)]
    assert (of_all.partition_id, of_one.partition_id > 0) == (-1, True)
    for manifest in (of_all, of_one):
        assert (manifest.segment_level, manifest.num_of_rows) == (1, 0)
        assert paths(manifest) == [log.log_path for field in manifest.deltalog_files for log in field.binlogs]
