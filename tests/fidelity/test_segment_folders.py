"""StorageV3: what a segment's own manifest says is there, or the restore is refused before it copies."""

import json
from typing import Any

import pytest

from formats.segment import SegmentManifest
from samples.loon_manifest import Columns, Contents, plain
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.fidelity.ground import Ground
from tests.fidelity.tampering import object_of, tampered

FOLDER = SampleShape(
    segments=1, megabytes=0.1, dim=4, partitions=1, shards=1, storage_versions=(3,), large_text=True
)


@pytest.fixture
def folder(ground: Ground) -> WrittenSample:
    """One segment, with a manifest of version 2 and large objects."""
    return ground.sample(FOLDER)


def manifest_key(written: WrittenSample) -> str:
    pointer = json.loads(written.manifests[0].manifest_path)
    return f"{pointer['base_path']}/_metadata/manifest-{pointer['ver']}.avro"


def delete(ground: Ground, written: WrittenSample, key: str) -> None:
    ground.home.s3.delete_object(Bucket=written.bucket, Key=key)


def put(ground: Ground, written: WrittenSample, key: str, body: bytes) -> None:
    ground.home.s3.put_object(Bucket=written.bucket, Key=key, Body=body)


def body_of(ground: Ground, written: WrittenSample, key: str) -> bytes:
    return ground.home.s3.get_object(Bucket=written.bucket, Key=key)["Body"].read()


def pointing(**changes: Any) -> Any:
    """Change the pointer of a segment."""

    def change(manifest: SegmentManifest) -> SegmentManifest:
        pointer = json.loads(manifest.manifest_path) | changes
        return manifest.model_copy(update={"manifest_path": json.dumps(pointer)})

    return change


async def test_a_pointer_to_nothing_committed_is_refused(ground: Ground, folder: WrittenSample) -> None:
    tampered(ground.home.s3, folder, pointing(ver=0))
    await ground.refused(folder, "UnsupportedFormat", str(folder.manifests[0].segment_id), "ver 0")


async def test_a_segment_without_pointer_is_refused(ground: Ground, folder: WrittenSample) -> None:
    tampered(ground.home.s3, folder, lambda each: each.model_copy(update={"manifest_path": ""}))
    await ground.refused(folder, "SnapshotCorrupt", "storagev2_manifest_list", "found none")


async def test_a_missing_manifest_is_named(ground: Ground, folder: WrittenSample) -> None:
    delete(ground, folder, manifest_key(folder))
    await ground.refused(folder, "ObjectMissing", manifest_key(folder), "absent")


async def test_another_version_than_the_one_pointed_to_does_not_count(
    ground: Ground, folder: WrittenSample
) -> None:
    tampered(ground.home.s3, folder, pointing(ver=7))
    await ground.refused(folder, "ObjectMissing", "_metadata/manifest-7.avro", "absent")


@pytest.mark.parametrize("part", ["_data/", "_delta/", "/lobs/"])
async def test_a_file_that_the_manifest_names_must_be_there(
    ground: Ground, folder: WrittenSample, part: str
) -> None:
    key = object_of(folder, part)
    delete(ground, folder, key)
    await ground.refused(folder, "ObjectMissing", key, "absent", manifest_key(folder))


@pytest.mark.parametrize(
    ("damage", "says"),
    [(lambda body: body[:-20], "to its last byte"), (lambda body: b"Obj\x01" + body, "container")],
    ids=["cut", "no container"],
)
async def test_a_damaged_manifest_is_refused(
    ground: Ground, folder: WrittenSample, damage: Any, says: str
) -> None:
    put(ground, folder, manifest_key(folder), damage(body_of(ground, folder, manifest_key(folder))))
    await ground.refused(folder, "SnapshotCorrupt", manifest_key(folder), says)


async def test_statistics_of_another_kind_do_not_make_up_for_missing_ones(
    ground: Ground, folder: WrittenSample
) -> None:
    """Text and JSON statistics lie below _stats as well, but no delete is found by them."""
    base = json.loads(folder.manifests[0].manifest_path)["base_path"]
    below = [key.removeprefix(f"{base}/") for key in folder.keys[folder.manifests[0].segment_id]]
    contents = Contents(
        [Columns((100,), {path: 1 for path in below if path.startswith("_data/")}, "parquet")],
        {},
        {"text_index.106": [path for path in below if path.startswith("_stats/text_index.106/")]},
    )
    put(ground, folder, manifest_key(folder), plain(contents, sized=True))
    delete(ground, folder, object_of(folder, "_stats/bloom_filter.100/"))
    await ground.refused(folder, "SnapshotCorrupt", str(folder.manifests[0].segment_id), "no stats")


async def test_an_unknown_layout_is_restored_and_certified_as_proved_by_listing(ground: Ground) -> None:
    shape = FOLDER.model_copy(update={"segments": 3, "oddities": {0: "newer manifest", 1: "newer manifest"}})
    restored = await ground.restored(ground.sample(shape))
    assert restored.certificate.segments_by_listing == 2


async def test_large_objects_of_other_segments_stay_where_they_are(
    ground: Ground, folder: WrittenSample
) -> None:
    """They share a folder; a listing of it would take them along."""
    key = object_of(folder, "/lobs/").replace("/_data/", "/_data/stranger-")
    put(ground, folder, key, b"of another segment")
    restored = await ground.restored(folder)
    assert restored.certificate.segments_by_listing == 0


@pytest.mark.parametrize("base", ["files/insert_log/1/2", "files/elsewhere/1/2/3"])
async def test_a_folder_that_is_no_segments_is_refused(
    ground: Ground, folder: WrittenSample, base: str
) -> None:
    """A folder too high up would take everybody's files along."""
    own = json.loads(folder.manifests[0].manifest_path)["base_path"]
    for key in [*folder.keys[folder.manifests[0].segment_id]]:
        if key.startswith(f"{own}/"):
            put(ground, folder, f"{base}/{key.removeprefix(f'{own}/')}", body_of(ground, folder, key))
    contents = Contents([], {}, {})
    put(ground, folder, f"{base}/_metadata/manifest-2.avro", plain(contents, sized=True))
    tampered(ground.home.s3, folder, pointing(base_path=base))
    await ground.refused(folder, "SnapshotCorrupt", base)
