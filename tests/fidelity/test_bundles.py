"""Bundles that hold their own data, opened where they were written and where they were moved."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from formats.metadata import read_metadata, write_metadata
from formats.proto.data_pb2 import SnapshotMetadata
from samples.export import export_sample, move_bundle
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.e2e.deployment import new_bucket
from tests.fidelity.ground import Ground

MIXED = SampleShape(
    segments=3,
    l0_segments=1,
    megabytes=0.3,
    dim=4,
    partitions=2,
    storage_versions=(2, 3, 0),
    oddities={1: "successor's deletes"},
    full_text=True,
    large_text=True,
)
EXPORT = "backups/exports/4f0c"


@pytest.fixture
def sample(ground: Ground) -> WrittenSample:
    return ground.sample(MIXED)


def exported(ground: Ground, sample: WrittenSample, prefix: str = EXPORT) -> WrittenSample:
    """The sample as a bundle in a bucket of its own."""
    return export_sample(ground.home.s3, sample, new_bucket(ground.home.s3), prefix)


def rewritten(
    ground: Ground, bundle: WrittenSample, change: Callable[[SnapshotMetadata], object]
) -> WrittenSample:
    """The bundle with its metadata changed; its digest is not kept up."""
    body = ground.home.s3.get_object(Bucket=bundle.bucket, Key=bundle.key)["Body"].read()
    metadata = read_metadata(body, key=bundle.key)
    change(metadata)
    ground.home.s3.put_object(Bucket=bundle.bucket, Key=bundle.key, Body=write_metadata(metadata))
    return replace(bundle, digests={key: each for key, each in bundle.digests.items() if key != bundle.key})


async def test_a_bundle_is_restored_from_where_it_was_written(ground: Ground, sample: WrittenSample) -> None:
    await ground.restored(exported(ground, sample))


async def test_a_moved_bundle_is_read_where_it_is(ground: Ground, sample: WrittenSample) -> None:
    """The first one is gone, so that nothing can be read from where the paths in it lead."""
    bundle = exported(ground, sample)
    moved = move_bundle(ground.home.s3, bundle, EXPORT, new_bucket(ground.home.s3), "archive/2026/spring")
    for key in bundle.digests:
        ground.home.s3.delete_object(Bucket=bundle.bucket, Key=key)
    await ground.restored(moved)


@pytest.mark.parametrize(("prefix", "moved_to"), [("", "archive"), (EXPORT, "")], ids=["from", "to"])
async def test_a_bundle_may_lie_in_the_bucket_itself(
    ground: Ground, sample: WrittenSample, prefix: str, moved_to: str
) -> None:
    bundle = exported(ground, sample, prefix)
    await ground.restored(move_bundle(ground.home.s3, bundle, prefix, new_bucket(ground.home.s3), moved_to))


async def test_a_moved_bundle_that_does_not_tell_where_it_was_is_refused(
    ground: Ground, sample: WrittenSample
) -> None:
    bundle = exported(ground, sample)
    moved = move_bundle(ground.home.s3, bundle, EXPORT, new_bucket(ground.home.s3), "archive")
    rewritten(ground, moved, lambda metadata: metadata.snapshot_info.ClearField("s3_location"))
    await ground.refused(moved, "InvalidRequest", EXPORT, "does not lie below 'archive'")


async def test_a_location_that_is_none_is_refused(ground: Ground, sample: WrittenSample) -> None:
    def change(metadata: SnapshotMetadata) -> None:
        metadata.snapshot_info.s3_location = "somewhere"

    bundle = exported(ground, sample)
    rewritten(ground, bundle, change)
    await ground.refused(bundle, "SnapshotCorrupt", "s3_location", "somewhere")


async def test_what_does_not_belong_to_a_bundle_is_not_copied(ground: Ground, sample: WrittenSample) -> None:
    bundle = exported(ground, sample)
    for name in ("_staging/metadata.json", "files/insert_log/orphan"):
        ground.home.s3.put_object(Bucket=bundle.bucket, Key=f"{EXPORT}/{name}", Body=b"left over")
    await ground.restored(bundle)
