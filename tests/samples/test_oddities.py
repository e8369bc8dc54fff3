"""What segments of a sample can be beside usual, in every storage version."""

import pytest

from formats.segment import SegmentManifest
from samples import schema
from samples.collection import SampleSegment, sample_segment
from samples.shape import Oddity, SampleShape, StorageVersion

VERSIONS: tuple[StorageVersion, ...] = (0, 2, 3)


def made(version: StorageVersion, oddity: Oddity | None = None, number: int = 1) -> SampleSegment:
    shape = SampleShape(
        segments=2,
        megabytes=0.4,
        dim=8,
        storage_versions=(version,),
        oddities={number: oddity} if oddity else {},
        full_text=True,
        large_text=True,
    )
    return sample_segment(shape, number)


def logged_fields(manifest: SegmentManifest) -> set[int]:
    return {child for group in manifest.binlog_files for child in (group.child_fields or (group.field_id,))}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_segment_without_rows_has_no_index(version: StorageVersion) -> None:
    manifest = made(version, "no rows").manifest
    assert (manifest.num_of_rows, manifest.index_files, manifest.text_index_files) == (0, (), ())
    assert all(log.entries_num == 0 for field in manifest.binlog_files for log in field.binlogs)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_segment_of_deletes_only_has_no_other_logs(version: StorageVersion) -> None:
    manifest = made(version, "deletes only").manifest
    assert (manifest.num_of_rows, manifest.segment_level, len(manifest.deltalog_files)) == (0, 2, 1)
    assert (manifest.binlog_files, manifest.statslog_files, manifest.bm25_statslog_files) == ((), (), ())


@pytest.mark.parametrize("version", VERSIONS)
def test_an_object_may_be_empty(version: StorageVersion) -> None:
    assert b"" in made(version, "empty object").objects.values()
    assert b"" not in made(version).objects.values()


@pytest.mark.parametrize("version", VERSIONS)
def test_an_older_segment_lacks_a_field(version: StorageVersion) -> None:
    whole, older = made(version).manifest, made(version, "older schema").manifest
    assert logged_fields(whole) - logged_fields(older) == {schema.RATINGS}


@pytest.mark.parametrize("version", VERSIONS)
def test_deletes_of_a_successor_lie_in_its_folder(version: StorageVersion) -> None:
    manifest = made(version, "successor's deletes").manifest
    paths = [log.log_path for field in manifest.deltalog_files for log in field.binlogs]
    assert [f"/{manifest.segment_id}/" in path for path in paths] == [False]


@pytest.mark.parametrize("version", VERSIONS)
def test_large_objects_lie_beside_the_segments_of_their_partition(version: StorageVersion) -> None:
    segment = made(version)
    lobs = [key for key in segment.objects if "/lobs/" in key]
    assert bool(lobs) == (version == 3)
    for key in lobs:
        assert f"/{segment.manifest.partition_id}/lobs/{schema.MANUAL}/_data/" in key
        assert key.endswith(".vx")


def test_a_container_replaces_the_plain_manifest() -> None:
    def manifest(segment: SampleSegment) -> bytes:
        (body,) = [body for key, body in segment.objects.items() if "/_metadata/" in key]
        return body

    assert manifest(made(3)).startswith(bytes.fromhex("acb1cad40902"))
    assert manifest(made(3, "newer manifest")).startswith(b"Obj\x01")


def test_ids_and_times_may_be_as_high_as_they_go() -> None:
    shape = SampleShape(segments=1, megabytes=0.2, dim=8, collection_id=2**63 - 10**4, born_ms=2**46 - 10**8)
    manifest = sample_segment(shape, 0).manifest
    assert 2**63 - 10**4 < manifest.segment_id < 2**63
    assert 2**63 < manifest.start_position.timestamp <= manifest.dml_position.timestamp < 2**64
