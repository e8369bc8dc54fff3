"""One of everything that a snapshot can hold, in every format version, arrives as it was."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from samples.export import export_sample, move_bundle
from samples.shape import FormatVersion, SampleShape
from samples.snapshot import WRITERS, WrittenSample, write_sample
from tests.e2e.deployment import new_bucket
from tests.fidelity.auditing import differences
from tests.fidelity.ground import Ground, apart
from tests.fidelity.tampering import tampered, twice
from tests.samples.bucket_twin import BucketTwin

EVERYTHING = SampleShape(
    segments=8,
    megabytes=0.8,
    dim=8,
    partitions=2,
    l0_segments=4,
    storage_versions=(0, 2, 3, 3, 2),
    oddities={
        1: "empty object",
        2: "older schema",
        3: "successor's deletes",
        4: "no rows",
        5: "older schema",
        6: "deletes only",
        7: "newer manifest",
    },
    full_text=True,
    large_text=True,
    # Every id is near the highest.
    collection_id=2**63 - 10**9,
)
EXPORT = "exports/4f0c"
VERSIONS: tuple[FormatVersion, ...] = (0, 1, 2, 3, 4)
"""Files from before there were versions have none, which is 0."""


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_of_everything_is_restored(ground: Ground, version: FormatVersion) -> None:
    written = ground.sample(EVERYTHING.model_copy(update={"format_version": version}))
    tampered(ground.home.s3, written, twice)
    restored = await ground.restored(written, of=data_of(written))
    assert differences(ground, written, restored) == []
    assert restored.result.segments == EVERYTHING.all_segments
    assert restored.result.objects == written.objects
    assert restored.result.bytes == written.bytes
    assert restored.result.rows == sum(manifest.num_of_rows for manifest in written.manifests)


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_of_everything_is_restored_from_a_moved_bundle(
    ground: Ground, version: FormatVersion
) -> None:
    moved = moved_bundle(ground, EVERYTHING.model_copy(update={"format_version": version}))
    restored = await ground.restored(moved)
    assert differences(ground, moved, restored) == []
    assert restored.result.objects == moved.objects


def data_of(written: WrittenSample) -> WrittenSample:
    """The sample as it was, but for snapshot files, which were changed on purpose."""
    data = {key for keys in written.keys.values() for key in keys}
    return replace(written, digests={key: each for key, each in written.digests.items() if key in data})


def moved_bundle(ground: Ground, shape: SampleShape) -> WrittenSample:
    """A bundle in a bucket of its own, where nothing is of what it was exported from, or first lay."""
    twin, bucket = BucketTwin(), new_bucket(ground.home.s3)
    written = write_sample(twin.client, bucket, apart(shape))
    moved = move_bundle(
        twin.client, export_sample(twin.client, written, bucket, EXPORT), EXPORT, bucket, "archive"
    )

    def put(key: str) -> None:
        ground.home.s3.put_object(Bucket=bucket, Key=key, Body=twin.objects[key])

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(put, moved.digests))
    return moved
