"""Source and destination in different places: servers, buckets, root paths, none."""

from pathlib import Path

from temporalio.client import Client

from samples.shape import SampleShape
from tests.fidelity.ground import grounded

MIXED = SampleShape(
    segments=3,
    l0_segments=2,
    megabytes=0.4,
    dim=4,
    partitions=2,
    storage_versions=(0, 2, 3),
    oddities={0: "empty object"},
    full_text=True,
    large_text=True,
)


async def test_a_snapshot_comes_from_another_server(
    client: Client, servers: dict[str, str], other_servers: dict[str, str], tmp_path: Path
) -> None:
    """Objects are streamed, and go to a root path of another name and depth."""
    root = "clusters/berlin"
    async with grounded(client, servers, tmp_path, root=root, source_servers=other_servers) as ground:
        written = ground.sample(MIXED, catalogued=True)
        await ground.restored(written, source="source")
        by_name = await ground.restored(written, "sample/nightly", source="source", verify="full")
        assert by_name.certificate.proofs == {"sha256": written.objects}


async def test_a_missing_object_of_another_server_is_named(
    client: Client, servers: dict[str, str], other_servers: dict[str, str], tmp_path: Path
) -> None:
    async with grounded(client, servers, tmp_path, source_servers=other_servers) as ground:
        written = ground.sample(MIXED)
        key = written.manifests[1].binlog_files[0].binlogs[0].log_path
        ground.source.s3.delete_object(Bucket=written.bucket, Key=key)
        await ground.refused(written, "ObjectMissing", f"s3://{written.bucket}/{key}", source="source")


async def test_an_empty_root_path_is_the_bucket_itself(
    client: Client, servers: dict[str, str], tmp_path: Path
) -> None:
    async with grounded(client, servers, tmp_path, root="") as ground:
        flat = ground.sample(MIXED.model_copy(update={"root": ""}))
        assert flat.key.startswith("snapshots/")
        await ground.restored(flat, flat.key)
        await ground.restored(ground.sample(MIXED))


async def test_a_snapshot_of_the_bucket_itself_goes_below_a_root_path(
    client: Client, servers: dict[str, str], tmp_path: Path
) -> None:
    async with grounded(client, servers, tmp_path, root="milvus") as ground:
        await ground.restored(ground.sample(MIXED.model_copy(update={"root": ""})))
