"""Logs and statistics that a manifest names in odd ways: restored as they are, or refused with a reason."""

from dataclasses import replace
from typing import Any

import pytest

from formats.segment import Binlog, SegmentManifest
from samples.shape import SampleShape, StorageVersion
from samples.snapshot import WrittenSample
from tests.fidelity.ground import Ground
from tests.fidelity.tampering import Change, tampered, with_first_log, with_logs

TWO = SampleShape(segments=2, megabytes=0.1, dim=4, partitions=1, shards=1, full_text=True)


@pytest.fixture
def two(ground: Ground) -> WrittenSample:
    """Two segments with one binlog per field."""
    return ground.sample(TWO)


def log(path: str, log_id: int) -> Binlog:
    return Binlog(
        entries_num=1,
        timestamp_from=2**40,
        timestamp_to=2**40,
        log_path=path,
        log_size=0,
        log_id=log_id,
        memory_size=1,
    )


def moved(manifest: SegmentManifest, name: str, log_id: int) -> SegmentManifest:
    """The manifest with its first insert log under another name."""
    folder = manifest.binlog_files[0].binlogs[0].log_path.rpartition("/")[0]
    return with_first_log(manifest, "binlog_files", log_path=f"{folder}/{name}", log_id=log_id)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda each: moved(each, "0", 0), "found 0"),
        (lambda each: moved(each, "part", 12), "no log id"),
        (lambda each: with_first_log(each, "binlog_files", log_path=""), "has no path"),
        (
            lambda each: with_first_log(each, "deltalog_files", log_path="files/delta_log/1/9", log_id=9),
            "structure",
        ),
        (lambda each: with_logs(each, "deltalog_files", log("files/odd_log/1/2/3/9", 9)), "odd_log"),
    ],
    ids=["id 0", "no number", "no path", "short path", "unknown kind"],
)
async def test_a_log_that_milvus_could_not_find_again_is_refused(
    ground: Ground, two: WrittenSample, change: Change, says: str
) -> None:
    tampered(ground.home.s3, two, change)
    await ground.refused(two, "SnapshotCorrupt", says)


@pytest.mark.parametrize("version", [0, 2])
async def test_rows_without_statistics_of_their_keys_are_refused(
    ground: Ground, version: StorageVersion
) -> None:
    written = ground.sample(TWO.model_copy(update={"storage_versions": (version,)}))
    tampered(ground.home.s3, written, lambda each: each.model_copy(update={"statslog_files": ()}), 1)
    await ground.refused(written, "SnapshotCorrupt", str(written.manifests[1].segment_id), "no stats logs")


async def test_logs_that_are_named_twice_are_copied_and_recorded_once(
    ground: Ground, two: WrittenSample
) -> None:
    """A segment's deletes are joined by those of segments that it was compacted to, which may repeat."""

    def twice(manifest: SegmentManifest) -> SegmentManifest:
        for kind in ("deltalog_files", "statslog_files", "bm25_statslog_files", "binlog_files"):
            manifest = with_logs(manifest, kind, getattr(manifest, kind)[0].binlogs[0])
        return manifest.model_copy(update={"deltalog_files": manifest.deltalog_files * 2})

    tampered(ground.home.s3, two, twice)
    restored = await ground.restored(two, of=resigned(ground, two))
    assert restored.result.objects == two.objects


async def test_index_files_that_are_named_twice_are_copied_and_recorded_once(
    ground: Ground, two: WrittenSample
) -> None:
    def twice(manifest: SegmentManifest) -> SegmentManifest:
        def doubled(entries: Any, name: str) -> Any:
            return tuple(each.model_copy(update={name: getattr(each, name) * 2}) for each in entries)

        return manifest.model_copy(
            update={
                "index_files": doubled(manifest.index_files, "index_file_paths"),
                "text_index_files": doubled(manifest.text_index_files, "files"),
                "json_key_index_files": doubled(manifest.json_key_index_files, "files"),
            }
        )

    tampered(ground.home.s3, two, twice)
    restored = await ground.restored(two, of=resigned(ground, two))
    assert restored.result.objects == two.objects


async def test_two_different_logs_with_one_id_are_refused(ground: Ground, two: WrittenSample) -> None:
    own = two.manifests[0].deltalog_files[0].binlogs[0]
    segment = two.manifests[0].segment_id
    path = own.log_path.replace(f"/{segment}/", f"/{segment + 1}/")
    tampered(ground.home.s3, two, lambda each: with_logs(each, "deltalog_files", log(path, own.log_id)))
    await ground.refused(two, "SnapshotCorrupt", path, own.log_path)


async def test_an_unknown_storage_version_is_refused(ground: Ground, two: WrittenSample) -> None:
    tampered(ground.home.s3, two, lambda each: each.model_copy(update={"storage_version": 1}))
    await ground.refused(two, "UnsupportedFormat", "storage_version", "0, 2 and 3", "found 1")


def resigned(ground: Ground, written: WrittenSample) -> WrittenSample:
    """The sample as it was, but for snapshot files, which were changed on purpose."""
    data = {key for keys in written.keys.values() for key in keys}
    kept = {key: digest for key, digest in written.digests.items() if key in data}
    return replace(written, digests=kept)
