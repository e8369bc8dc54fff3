"""A snapshot exported on real servers: as the samples' own writer has it, and restored, also moved."""

from dataclasses import replace

import pytest

from formats.metadata import read_metadata
from samples.export import export_sample, move_bundle
from samples.shape import BORN_MS, SampleShape, tso
from samples.snapshot import WrittenSample
from tests.e2e.deployment import listed, new_bucket
from tests.e2e.image import Image
from tests.e2e.site import Site
from tests.e2e.slow_site import SlowSite
from tests.e2e.valve import Valve

SHAPE = SampleShape(
    name="exported",
    segments=4,
    l0_segments=1,
    partitions=2,
    megabytes=0.4,
    dim=4,
    storage_versions=(2, 3, 0),
    full_text=True,
    large_text=True,
    collection_id=tso(BORN_MS + 1300 * 60_000),
)


@pytest.fixture(scope="module")
def written(site: Site) -> WrittenSample:
    return site.deployment.sample(SHAPE)


@pytest.fixture(scope="module")
def exported(site: Site, written: WrittenSample) -> tuple[str, Image]:
    """The URI of a bundle in another bucket, and the world before."""
    before, bucket = site.deployment.image(), new_bucket(site.deployment.s3)
    name = f"{SHAPE.name}/{SHAPE.snapshot}"

    told = site.commands.restore("snapshot", "export", name, f"s3://{bucket}/backups", "-o", "json")

    assert told.code == 0, told.err
    result = told.json["result"]
    assert (result["segments"], result["objects"]) == (len(written.manifests), written.objects)
    assert (result["bytes"], result["objects_skipped"]) == (written.bytes, 0)
    return result["metadata"], before


def place(uri: str) -> tuple[str, str]:
    """Bucket and root of a bundle."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key.partition("/snapshots/")[0]


def twin(site: Site, written: WrittenSample, uri: str) -> WrittenSample:
    """What the samples' own writer makes of it in a bucket of its own, under the same root."""
    return export_sample(site.deployment.s3, written, new_bucket(site.deployment.s3), place(uri)[1])


def test_it_is_what_an_independent_writer_makes_and_the_source_is_untouched(
    site: Site, written: WrittenSample, exported: tuple[str, Image]
) -> None:
    uri, before = exported
    other, bucket = twin(site, written, uri), place(uri)[0]
    s3 = site.deployment.s3

    ours, theirs = listed(s3, bucket), listed(s3, other.bucket)

    assert ours.keys() == theirs.keys()
    key = other.key
    assert {each: ours[each] for each in ours if each != key} == {
        each: theirs[each] for each in theirs if each != key
    }
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    expected = s3.get_object(Bucket=other.bucket, Key=key)["Body"].read()
    metadata, wanted = read_metadata(body, key=key), read_metadata(expected, key=key)
    assert metadata.snapshot_info.s3_location == uri
    wanted.snapshot_info.s3_location = uri
    assert metadata == wanted
    assert before.changes(site.deployment.image()) == set()


def test_it_is_restored_from_there_and_from_where_it_was_moved(
    site: Site, written: WrittenSample, exported: tuple[str, Image]
) -> None:
    uri, s3 = exported[0], site.deployment.s3
    bucket, root = place(uri)
    other = twin(site, written, uri)
    digests = {key: each for key, each in other.digests.items() if key != other.key}
    bundle = replace(other, bucket=bucket, uri=uri, digests=digests)
    first = site.target(SHAPE)

    told = site.commands.execute({"snapshot": uri, "target": first.name})

    assert told.status == "COMPLETED", told.message
    site.assert_proved(bundle, first)
    whole = replace(bundle, digests={**digests, bundle.key: ""})
    moved = move_bundle(s3, whole, root, new_bucket(s3), "archive/2026")
    for key in listed(s3, bucket):
        s3.delete_object(Bucket=bucket, Key=key)
    again = site.target(SHAPE)
    told = site.commands.execute({"snapshot": moved.uri, "target": again.name})
    assert told.status == "COMPLETED", told.message
    data = {key: each for key, each in moved.digests.items() if key != moved.key}
    site.assert_proved(replace(moved, digests=data), again)


def test_a_bundle_within_the_sources_root_is_refused(site: Site, written: WrittenSample) -> None:
    before = site.deployment.image()

    for to in (f"{site.deployment.bucket}/{SHAPE.root}/backups", "no-such-bucket-here"):
        told = site.commands.restore("snapshot", "export", written.uri, f"s3://{to}")
        assert (told.code, "InvalidRequest: field to" in told.err) == (2, True), told.err

    assert before.changes(site.deployment.image()) == set()


def test_after_a_kill_another_worker_goes_on_where_it_was(
    slow: SlowSite, large: WrittenSample, valve: Valve
) -> None:
    site, s3 = slow.site, slow.site.deployment.s3
    bucket = new_bucket(s3)
    waiting = site.commands.spawn("snapshot", "export", large.uri, f"s3://{bucket}", "-o", "json")
    slow.half_copied(valve, 60)

    site.worker.kill()
    valve.open()
    site.worker.start()
    _, err = waiting.communicate(timeout=90)

    assert waiting.returncode == 0, err
    assert sum("/files/" in key for key in listed(s3, bucket)) == large.objects
