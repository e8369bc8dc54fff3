"""Logs that get the target's ids, for clusters older than Milvus 2.4; all else arrives as it was."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from restore.reproof import Reproof
from samples.shape import SampleShape, StorageVersion
from samples.snapshot import WrittenSample
from stores.certificates import certificate_at, read_certificate
from stores.reproving import Reprover
from stores.sealing import Sealer
from stores.snapshots import open_snapshot
from tests.fidelity.ground import Ground

ON: dict[str, Any] = {"rewrite_descriptors": True}
SHAPE = SampleShape(
    segments=3, l0_segments=2, partitions=2, megabytes=0.3, dim=4, oddities={2: "successor's deletes"}
)


@pytest.fixture
def written(ground: Ground) -> WrittenSample:
    return ground.sample(SHAPE)


def logs(written: WrittenSample) -> list[str]:
    """The keys of all insert and delta logs."""
    return [
        key for keys in written.keys.values() for key in keys if "insert_log/" in key or "delta_log/" in key
    ]


async def test_logs_arrive_with_the_targets_ids_and_all_else_as_it_was(
    ground: Ground, written: WrittenSample
) -> None:
    restored = await ground.restored(written, **ON)
    assert restored.result.objects == written.objects
    assert restored.result.bytes == written.bytes
    proofs = restored.certificate.proofs
    assert proofs == {"rewritten": len(logs(written)), "etag": written.objects - len(logs(written))}
    assert restored.certificate.request.rewrite_descriptors is True


async def test_without_the_option_every_log_arrives_as_it_was(ground: Ground, written: WrittenSample) -> None:
    restored = await ground.restored(written)
    assert "rewritten" not in restored.certificate.proofs
    assert restored.certificate.request.rewrite_descriptors is False


async def test_what_was_rewritten_can_be_proved_again(ground: Ground, written: WrittenSample) -> None:
    restored = await ground.restored(written, **ON)
    at = certificate_at(restored.result.certificate, ground.home.bucket)
    told = read_certificate(ground.clients.objects("default"), at)

    def reproved() -> Reproof:
        reprover = Reprover(ground.clients, "default", at, told)
        return reprover.run(sample=None, read_data=True, tell=lambda *_: None)

    report = reproved()
    assert report.findings == ()
    assert report.contents["sha256"] == len(logs(written))
    victim = next(key for key in ground.home.image().objects if f"delta_log/{restored.collection}/" in key)
    body = bytearray(ground.home.s3.get_object(Bucket=ground.home.bucket, Key=victim)["Body"].read())
    body[21] ^= 1
    ground.home.s3.put_object(Bucket=ground.home.bucket, Key=victim, Body=bytes(body))
    assert [(each.what, each.name, each.verdict) for each in reproved().findings] == [
        ("object", victim, "damaged")
    ]


@pytest.mark.parametrize("verify", ["size", "full"])
async def test_logs_of_a_sealed_snapshot_are_rewritten_too(
    ground: Ground, written: WrittenSample, verify: str
) -> None:
    objects = ground.clients.objects("default")
    with ThreadPoolExecutor(4) as threads:
        Sealer(
            objects, open_snapshot(objects, written.bucket, written.key), lists=threads, reads=threads
        ).seal()
    restored = await ground.restored(written, **ON, verify=verify)
    assert restored.certificate.snapshot.seal
    assert restored.certificate.proofs["rewritten"] == len(logs(written))


@pytest.mark.parametrize("kind", ["insert_log", "delta_log"])
async def test_a_broken_descriptor_fails_the_restore_and_nothing_is_left(
    ground: Ground, written: WrittenSample, kind: str
) -> None:
    victim = next(key for key in logs(written) if f"{kind}/" in key)
    body = bytearray(ground.source.s3.get_object(Bucket=written.bucket, Key=victim)["Body"].read())
    body[0] ^= 0xFF
    ground.source.s3.put_object(Bucket=written.bucket, Key=victim, Body=bytes(body))
    named = f"s3://{written.bucket}/{victim}"
    await ground.refused(written, "SnapshotCorrupt", named, "at byte 0", copying=True, **ON)


@pytest.mark.parametrize("version", [2, 3])
async def test_segments_without_descriptors_are_refused_before_anything_is_copied(
    ground: Ground, version: StorageVersion
) -> None:
    written = ground.sample(SHAPE.model_copy(update={"storage_versions": (version,)}))
    await ground.refused(
        written, "UnsupportedFormat", f"storage version {version}", "rewrite_descriptors", **ON
    )
