"""Where a snapshot comes from: a URI, a key, or a name in the source's catalog."""

import secrets
from typing import cast

import pytest

from formats.proto.data_pb2 import SnapshotInfo, SnapshotState
from formats.proto.etcd_pb2 import CollectionInfo, CollectionState
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.fidelity.ground import Ground

TINY = SampleShape(segments=1, megabytes=0.05, dim=4, partitions=1, shards=1)


def catalogued(ground: Ground, **changes: object) -> WrittenSample:
    """A sample whose collection's name no other test uses."""
    name = f"orders_{secrets.token_hex(4)}"
    return ground.sample(TINY.model_copy(update={"name": name, **changes}), catalogued=True)


def restate(
    ground: Ground, written: WrittenSample, state: SnapshotState, location: str | None = None
) -> None:
    """Put the snapshot's record into another state, and say that its metadata file is elsewhere."""
    shape = written.shape
    key = f"{ground.source.meta}/datacoord-meta/snapshot/{shape.collection_id}/{shape.snapshot_id}"
    ((_, value),) = ground.source.scan(key)
    info = SnapshotInfo.FromString(value)
    info.state = state
    if location is not None:
        info.s3_location = location
    ground.source.put({key: info})


def drop(ground: Ground, written: WrittenSample) -> None:
    """Put the collection's record into the state that Milvus leaves it in."""
    prefix = f"{ground.source.meta}/root-coord/database/collection-info/"
    for key, value in ground.source.scan(prefix):
        if key.endswith(f"/{written.shape.collection_id}"):
            info = CollectionInfo.FromString(value)
            info.state = CollectionState.CollectionDropped
            ground.source.put({key: info})


async def test_a_snapshot_is_found_by_its_key(ground: Ground) -> None:
    written = ground.sample(TINY)
    await ground.restored(written, written.key)


async def test_a_snapshot_is_found_by_collection_and_name(ground: Ground) -> None:
    written = catalogued(ground)
    restored = await ground.restored(written, f"{written.shape.name}/nightly")
    assert restored.certificate.snapshot.key == written.key


async def test_a_snapshot_is_found_in_its_database_and_restored_into_another(ground: Ground) -> None:
    written = catalogued(ground, database="shop")
    await ground.restored(written, f"shop/{written.shape.name}/nightly", database="museum")


async def test_a_collection_of_another_database_is_not_meant(ground: Ground) -> None:
    written = catalogued(ground, database="shop")
    name = f"{written.shape.name}/nightly"
    await ground.refused(written, "SnapshotNotFound", f"default/{written.shape.name}", snapshot=name)


async def test_a_snapshot_outlives_its_collection_in_the_catalog(ground: Ground) -> None:
    """Its metadata file tells whose it was; that of another snapshot, which cannot be read, does no harm."""
    written, broken = catalogued(ground), catalogued(ground)
    ground.home.s3.put_object(Bucket=broken.bucket, Key=broken.key, Body=b"{}")
    for each in (written, broken):
        drop(ground, each)
    await ground.restored(written, f"{written.shape.name}/nightly")


@pytest.mark.parametrize(
    ("state", "named"),
    [
        (SnapshotState.SnapshotStatePending, "PENDING"),
        (SnapshotState.SnapshotStateDeleting, "DELETING"),
        (cast("SnapshotState", 9), "is 9"),
    ],
)
async def test_only_a_committed_snapshot_is_restored(
    ground: Ground, state: SnapshotState, named: str
) -> None:
    written = catalogued(ground)
    restate(ground, written, state)
    name = f"{written.shape.name}/nightly"
    await ground.refused(written, "SnapshotNotFound", name, named, "COMMITTED", snapshot=name)


async def test_a_record_that_leads_nowhere_is_refused(ground: Ground) -> None:
    written = catalogued(ground)
    restate(ground, written, SnapshotState.SnapshotStateCommitted, location="")
    name = f"{written.shape.name}/nightly"
    await ground.refused(written, "SnapshotNotFound", name, "does not say where", snapshot=name)


@pytest.mark.parametrize("place", ["/", "s3://{bucket}/", "minio://minio:9000/{bucket}/", "gs://{bucket}/"])
async def test_a_record_may_lead_by_key_or_by_uri(ground: Ground, place: str) -> None:
    """Older Milvus records a key, newer a URI of its provider (snapshot-format.md, section 5.5)."""
    written = catalogued(ground)
    location = f"{place.format(bucket=written.bucket)}{written.key}"
    restate(ground, written, SnapshotState.SnapshotStateCommitted, location=location)
    await ground.restored(written, f"{written.shape.name}/nightly")


async def test_an_unknown_name_lists_what_there_is(ground: Ground) -> None:
    written = catalogued(ground, snapshot="monday")
    name = f"default/{written.shape.name}/tuesday"
    await ground.refused(written, "SnapshotNotFound", "'tuesday'", "monday", snapshot=name)
