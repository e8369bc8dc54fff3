"""No snapshot makes a restore read what lies outside its root."""

from collections.abc import Callable
from typing import Any

import pytest

from formats.manifest import encode_manifest
from formats.metadata import write_metadata
from formats.segment import SegmentManifest
from samples.export import export_sample
from samples.shape import SampleShape
from samples.snapshot import metadata_key, snapshot_metadata
from tests.e2e.deployment import new_bucket
from tests.fidelity.ground import Ground
from tests.fidelity.tampering import tampered, with_first_log

ONE = SampleShape(segments=1, megabytes=0.1, dim=4, partitions=1, shards=1, full_text=True)
Rewrite = Callable[[str], str]

ESCAPES: dict[str, Rewrite] = {
    "climbs": lambda path: path.replace("files/", "files/../secrets/"),
    "is another root's": lambda path: path.replace("files/", "secrets/"),
    "only begins like the root": lambda path: path.replace("files/", "files-2/"),
}


def first_log(kind: str) -> Callable[[SegmentManifest, Rewrite], SegmentManifest]:
    def change(manifest: SegmentManifest, rewrite: Rewrite) -> SegmentManifest:
        path = getattr(manifest, kind)[0].binlogs[0].log_path
        return with_first_log(manifest, kind, log_path=rewrite(path))

    return change


def first_file(kind: str, name: str) -> Callable[[SegmentManifest, Rewrite], SegmentManifest]:
    def change(manifest: SegmentManifest, rewrite: Rewrite) -> SegmentManifest:
        first, *others = getattr(manifest, kind)
        paths: Any = tuple(map(rewrite, getattr(first, name)))
        return manifest.model_copy(update={kind: (first.model_copy(update={name: paths}), *others)})

    return change


def own_manifest(manifest: SegmentManifest, rewrite: Rewrite) -> SegmentManifest:
    return manifest.model_copy(update={"manifest_path": rewrite(manifest.manifest_path)})


PLACES = {
    "deltalog": first_log("deltalog_files"),
    "index": first_file("index_files", "index_file_paths"),
    "json": first_file("json_key_index_files", "files"),
    "manifest": own_manifest,
}


@pytest.mark.parametrize("place", PLACES)
async def test_a_path_of_any_kind_that_climbs_is_refused(ground: Ground, place: str) -> None:
    written = ground.sample(ONE.model_copy(update={"storage_versions": (2,)}))
    tampered(ground.home.s3, written, lambda each: PLACES[place](each, ESCAPES["climbs"]))
    await ground.refused(written, "InvalidRequest", "'..'", "files/../secrets/")


@pytest.mark.parametrize("escape", ["is another root's", "only begins like the root"])
async def test_a_path_that_leads_elsewhere_is_refused(ground: Ground, escape: str) -> None:
    written = ground.sample(ONE)
    tampered(ground.home.s3, written, lambda each: first_log("binlog_files")(each, ESCAPES[escape]))
    await ground.refused(written, "InvalidRequest", "path outside its root", "'files'")


async def test_a_folder_outside_the_root_is_refused(ground: Ground) -> None:
    written = ground.sample(ONE.model_copy(update={"storage_versions": (3,)}))
    tampered(ground.home.s3, written, lambda each: own_manifest(each, ESCAPES["is another root's"]))
    await ground.refused(written, "InvalidRequest", "path outside its root", "secrets/")


async def test_a_manifest_list_that_leads_elsewhere_is_refused(ground: Ground) -> None:
    written = ground.sample(ONE)
    metadata = snapshot_metadata(written.shape, written.manifests)
    metadata.manifest_list[0] = ESCAPES["climbs"](metadata.manifest_list[0])
    ground.home.s3.put_object(
        Bucket=written.bucket, Key=metadata_key(written.shape), Body=write_metadata(metadata)
    )
    await ground.refused(written, "InvalidRequest", "path outside its root", metadata.manifest_list[0])


async def test_a_bundle_reads_no_data_beside_its_own(ground: Ground) -> None:
    """Of a bundle only `files` below its root is data: a snapshot beside it is somebody else's."""
    s3 = ground.home.s3
    written = ground.sample(ONE)
    bundle = export_sample(s3, written, new_bucket(s3), "exports/one")
    log = bundle.manifests[0].binlog_files[0].binlogs[0].log_path
    elsewhere = log.replace("exports/one/files", "exports/one/other")
    body = s3.get_object(Bucket=bundle.bucket, Key=log)["Body"].read()
    s3.put_object(Bucket=bundle.bucket, Key=elsewhere, Body=body)
    changed = with_first_log(bundle.manifests[0], "binlog_files", log_path=elsewhere)
    folder = bundle.key.replace("/metadata/", "/manifests/").removesuffix(".json")
    key = f"{folder}/{changed.segment_id}.avro"
    s3.put_object(Bucket=bundle.bucket, Key=key, Body=encode_manifest(changed))
    await ground.refused(bundle, "InvalidRequest", elsewhere, "'exports/one/files'")
