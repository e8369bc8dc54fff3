"""Segments whose entries and paths disagree, deletes of no partition, and bundles from elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from formats.metadata import read_metadata, write_metadata
from formats.segment import SegmentManifest
from samples.export import export_sample, move_bundle
from samples.shape import SampleShape, StorageVersion
from samples.snapshot import WrittenSample
from tests.e2e.deployment import new_bucket
from tests.fidelity.ground import Ground
from tests.fidelity.tampering import tampered

ONE = SampleShape(
    segments=1, l0_segments=1, megabytes=0.1, dim=4, partitions=2, shards=1, storage_versions=(2,)
)
FULL = ONE.model_copy(update={"full_text": True})


def first(kind: str, **values: Any) -> Callable[[SegmentManifest], SegmentManifest]:
    """Change values of the first entry of a kind."""

    def change(manifest: SegmentManifest) -> SegmentManifest:
        entry, *others = getattr(manifest, kind)
        return manifest.model_copy(update={kind: (entry.model_copy(update=values), *others)})

    return change


def without(written: WrittenSample, *keys: str) -> WrittenSample:
    """The sample, whose snapshot files were changed on purpose, so that their digests do not count."""
    data = {key for each in written.keys.values() for key in each}
    return replace(written, digests={key: each for key, each in written.digests.items() if key in data})


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (first("binlog_files", field_id=77), "insert_log/{coll}/{part}/{seg}/77/"),
        (first("statslog_files", field_id=77), "stats_log/{coll}/{part}/{seg}/77/"),
        (first("bm25_statslog_files", field_id=77), "bm25_stats/{coll}/{part}/{seg}/77/"),
        (first("text_index_files", version=9), "/9/{coll}"),
        (first("json_key_index_files", build_id=77), "/77/"),
        (first("json_key_index_files", json_key_stats_data_format=3), "json_stats/3/"),
    ],
    ids=["insert", "stats", "BM25", "text version", "JSON build", "JSON data format"],
)
async def test_a_file_that_milvus_would_look_for_elsewhere_is_refused(
    ground: Ground, change: Callable[[SegmentManifest], SegmentManifest], expected: str
) -> None:
    written = ground.sample(FULL)
    tampered(ground.home.s3, written, change)
    await ground.refused(written, "SnapshotCorrupt", "is not where its entry says", expected)


@pytest.mark.parametrize("partition", [0, 2**62 + 1])
async def test_deletes_of_no_partition_of_the_collection_concern_all(ground: Ground, partition: int) -> None:
    """As Milvus places them; also where only some partitions are restored."""
    written = ground.sample(ONE)
    deletes = 1
    changed = tampered(
        ground.home.s3,
        written,
        lambda each: each.model_copy(update={"partition_id": partition}),
        deletes,
    )
    assert changed.manifests[deletes].segment_level == 1
    of = without(changed)
    restored = await ground.restored(written, of=of)
    assert restored.result.segments == 2
    wanted = tuple(each for each in of.manifests if each.segment_level == 1)
    objects = sum(len(of.keys[each.segment_id]) for each in wanted)
    unused = next(name for name, number in ONE.partition_ids.items() if number not in _partitions_of(written))
    alone = replace(of, manifests=wanted, objects=objects)
    await ground.restored(written, of=alone, partitions=[unused])


def _partitions_of(written: WrittenSample) -> set[int]:
    first_id = written.shape.collection_id - ONE.collection_id
    return {each.partition_id - first_id for each in written.manifests if each.segment_level != 1}


async def test_a_segment_of_deletes_with_other_logs_is_refused(ground: Ground) -> None:
    written = ground.sample(ONE)
    tampered(ground.home.s3, written, lambda each: each.model_copy(update={"segment_level": 1}))
    await ground.refused(written, "SnapshotCorrupt", "deletes only", "binlog_files")


@pytest.mark.parametrize("version", [0, 2])
async def test_rows_without_insert_logs_are_refused(ground: Ground, version: StorageVersion) -> None:
    written = ground.sample(ONE.model_copy(update={"storage_versions": (version,)}))
    tampered(ground.home.s3, written, lambda each: each.model_copy(update={"binlog_files": ()}))
    await ground.refused(written, "SnapshotCorrupt", "rows but no insert logs")


async def test_what_only_shows_a_folder_is_not_copied(ground: Ground) -> None:
    written = ground.sample(ONE.model_copy(update={"storage_versions": (3,)}))
    base = written.manifests[0].manifest_path.partition('"base_path":"')[2].removesuffix('"}')
    for folder in ("", "_data/"):
        ground.home.s3.put_object(Bucket=written.bucket, Key=f"{base}/{folder}", Body=b"")
    await ground.restored(written)


@pytest.mark.parametrize("place", ["gs://a-bucket", "azure://account.blob.core.windows.net/container"])
async def test_a_bundle_may_come_from_another_provider(ground: Ground, place: str) -> None:
    s3 = ground.home.s3
    bundle = export_sample(s3, ground.sample(ONE), new_bucket(s3), "exports/one")
    moved = move_bundle(s3, bundle, "exports/one", new_bucket(s3), "archive")
    metadata = read_metadata(s3.get_object(Bucket=moved.bucket, Key=moved.key)["Body"].read(), key=moved.key)
    metadata.snapshot_info.s3_location = f"{place}/{bundle.key}"
    s3.put_object(Bucket=moved.bucket, Key=moved.key, Body=write_metadata(metadata))
    told = {key: each for key, each in moved.digests.items() if key != moved.key}
    await ground.restored(replace(moved, digests=told))
