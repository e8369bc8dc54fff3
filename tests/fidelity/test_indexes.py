"""Indexes of every kind and layout; what the target or Milvus would not find is refused before copying."""

from collections.abc import Callable
from typing import Any

import pytest

from formats.proto.index_pb2 import FieldIndex
from formats.segment import SegmentManifest
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.fidelity.ground import Ground
from tests.fidelity.tampering import object_of, tampered

ONE = SampleShape(segments=1, megabytes=0.1, dim=4, partitions=1, shards=1)


@pytest.fixture
def one(ground: Ground) -> WrittenSample:
    return ground.sample(ONE)


async def test_every_kind_of_index_is_restored(ground: Ground) -> None:
    written = ground.sample(ONE.model_copy(update={"segments": 7, "megabytes": 0.3}))
    indexes = [index for each in written.manifests for index in each.index_files]
    texts = [text for each in written.manifests for text in each.text_index_files]
    jsons = [json for each in written.manifests for json in each.json_key_index_files]
    assert {index.index_store_path_version for index in indexes} == {0, 1}
    assert {bool(index.index_file_paths) for index in indexes} == {True, False}
    assert {bool(text.build_id) for text in texts} == {True, False}
    assert {json.json_key_stats_data_format for json in jsons} == {1, 2}
    await ground.restored(written)


async def test_an_index_that_the_target_lacks_is_named(ground: Ground, one: WrittenSample) -> None:
    def drop(collection: int) -> None:
        number = collection - one.shape.collection_id + one.shape.index_id(0)
        key = f"{ground.home.meta}/field-index/{collection}/{number}"
        ((_, value),) = ground.home.scan(key)
        index = FieldIndex.FromString(value)
        index.deleted = True
        ground.home.put({key: index})

    await ground.refused(
        one, "TargetMismatch", "embedding_hnsw", "expected in the target, found none", prepare=drop
    )


def first_index(**values: Any) -> Callable[[SegmentManifest], SegmentManifest]:
    def change(manifest: SegmentManifest) -> SegmentManifest:
        index, *others = manifest.index_files
        changed = (index.model_copy(update=values), *others)
        return manifest.model_copy(update={"index_files": changed})

    return change


@pytest.mark.parametrize(
    ("values", "kind", "says"),
    [
        ({"index_name": "embedding_ivf"}, "TargetMismatch", ("'embedding_ivf'", "title_trie")),
        ({"index_store_path_version": 1}, "SnapshotCorrupt", ("index_v1", "not where its record says")),
        ({"index_store_path_version": 2}, "UnsupportedFormat", ("index_store_path_version", "found 2")),
        ({"build_id": 0}, "SnapshotCorrupt", ("build id is 0",)),
    ],
    ids=["unknown name", "other layout", "unknown layout", "no build"],
)
async def test_an_index_that_would_not_be_found_again_is_refused(
    ground: Ground, one: WrittenSample, values: dict[str, Any], kind: str, says: tuple[str, ...]
) -> None:
    tampered(ground.home.s3, one, first_index(**values))
    await ground.refused(one, kind, *says)


@pytest.mark.parametrize("part", ["/shredding_data/", "text_log/"])
async def test_a_missing_file_is_named(ground: Ground, one: WrittenSample, part: str) -> None:
    key = object_of(one, part)
    ground.home.s3.delete_object(Bucket=one.bucket, Key=key)
    await ground.refused(one, "ObjectMissing", key)


async def test_a_json_index_that_lies_in_no_field_is_refused(ground: Ground, one: WrittenSample) -> None:
    def change(manifest: SegmentManifest) -> SegmentManifest:
        (stats, *others) = manifest.json_key_index_files
        path = stats.files[0].replace("/json_stats/2/", "/index_files/")
        changed = (stats.model_copy(update={"files": (path,)}), *others)
        return manifest.model_copy(update={"json_key_index_files": changed})

    tampered(ground.home.s3, one, change)
    await ground.refused(
        one, "SnapshotCorrupt", "index_files", "is not where its entry says", "json_stats/2/"
    )
