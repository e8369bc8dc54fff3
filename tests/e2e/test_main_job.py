"""A restore from start to proof, through each of the entry points."""

import base64
import json
from dataclasses import replace
from typing import Any

from temporalio.client import Client

from samples.shape import BORN_MS, SampleShape, tso
from samples.snapshot import WrittenSample
from tests.e2e.commands import assert_readable
from tests.e2e.deployment import Deployment
from tests.e2e.site import Site
from tests.e2e.waiting import eventually

RESULT = {
    "job_id": str,
    "collection_id": str,
    "segments": int,
    "rows": int,
    "objects": int,
    "objects_skipped": int,
    "bytes": int,
    "seconds": float,
    "certificate": str,
}
PROGRESS = {
    "phase": str,
    "segments_total": int,
    "segments_done": int,
    "objects_total": int,
    "objects_done": int,
    "bytes_total": int,
    "bytes_done": int,
    "objects_per_second": float,
    "bytes_per_second": float,
    "seconds_left": float,
    "concurrency": int,
    "paused": bool,
    "started_at": str,
    "message": str,
}


def shape(number: int) -> SampleShape:
    """A sample that lies beside others of this module in one bucket."""
    return SampleShape(
        name=f"source_{number}",
        segments=2,
        megabytes=0.6,
        partitions=2,
        collection_id=tso(BORN_MS + number * 60_000),
    )


def searchable(attributes: dict[str, Any], name: str) -> object:
    """The value of a search attribute as the command line tells it."""
    return json.loads(base64.b64decode(attributes[name]["data"])) if name in attributes else None


def assert_fields(answer: dict[str, Any], fields: dict[str, type]) -> None:
    """Exactly these fields, each of its type; JSON writes 5.0 as 5, and `null` for what is unknown."""
    assert answer.keys() == fields.keys()
    for name, kind in fields.items():
        allowed = (int, float, type(None)) if kind is float else kind
        assert isinstance(answer[name], allowed), name
        assert kind is bool or not isinstance(answer[name], bool), name


def assert_result(result: dict[str, Any] | None, written: WrittenSample, collection: int) -> None:
    """The contract's result, and true."""
    assert result is not None
    assert_fields(result, RESULT)
    assert int(result["job_id"]) >= 2**40
    assert result["collection_id"] == str(collection)
    assert result["segments"] == len(written.manifests)
    assert result["rows"] == sum(manifest.num_of_rows for manifest in written.manifests)
    assert (result["objects"], result["bytes"]) == (written.objects, written.bytes)
    assert result["objects_skipped"] == 0
    assert result["seconds"] > 0


def assert_certified(site: Site, result: dict[str, Any]) -> None:
    """The certificate lies where the result says, and is about this restore."""
    bucket, _, key = result["certificate"].removeprefix("s3://").partition("/")
    assert (bucket, key) == (
        site.deployment.bucket,
        f"{site.deployment.root}/restores/{result['job_id']}/certificate.json",
    )
    certificate = json.loads(site.deployment.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert certificate["job_id"] == result["job_id"]
    assert certificate["objects"] == result["objects"]


def test_temporals_own_command_restores_by_uri_from_the_same_bucket(site: Site) -> None:
    written = site.deployment.sample(shape(1))
    target = site.target(written.shape)

    told = site.commands.execute({"snapshot": written.uri, "target": target.name})

    assert told.status == "COMPLETED", told.message
    assert_result(told.result, written, target.collection)
    assert_certified(site, told.result or {})
    site.assert_proved(written, target)


def test_a_restore_by_the_snapshots_name_is_found_by_its_target_and_tells_its_progress(site: Site) -> None:
    written = site.deployment.sample(shape(3))
    target = site.target(written.shape)
    workflow_id = site.commands.begin({"snapshot": "source_3/nightly", "target": target.name})

    assert_result(site.commands.outcome(workflow_id).result, written, target.collection)
    site.assert_proved(written, target)

    def found() -> list[dict[str, Any]]:
        listing = site.commands.workflow("list", "--query", f"RestoreTarget='{target.name}'").json
        return [each["searchAttributes"]["indexedFields"] for each in listing]

    eventually(
        lambda: [searchable(each, "RestorePercent") for each in found()] == [100], "it is listed as done"
    )
    (attributes,) = found()
    assert searchable(attributes, "RestoreTarget") == target.name
    assert searchable(attributes, "RestoreSnapshotName") == "nightly"
    assert searchable(attributes, "RestorePhase") == "completed"
    assert searchable(attributes, "RestorePercent") == 100

    progress = site.commands.progress(workflow_id)
    assert_fields(progress, PROGRESS)
    assert progress["phase"] == "completed"
    assert progress["objects_done"] == progress["objects_total"] == written.objects
    assert progress["bytes_done"] == progress["bytes_total"] == written.bytes
    assert progress["segments_done"] == progress["segments_total"] == len(written.manifests)


def test_our_command_restores_by_key_and_prints_the_result(site: Site) -> None:
    written = site.deployment.sample(shape(2))
    target = site.target(written.shape)

    done = site.commands.restore("start", written.key, target.name, "-o", "json")

    assert done.code == 0, done.err
    outcome = done.json
    assert outcome["workflow_id"] == f"restore/default/{target.name}"
    assert outcome["status"] == "completed"
    assert outcome["failure"] is None
    assert_result(outcome["result"], written, target.collection)
    site.assert_proved(written, target)


def test_our_command_restores_one_partition_into_another_database(site: Site, small: WrittenSample) -> None:
    target = site.target(small.shape, database="shop")
    part = small.shape.partition_ids["part_1"]
    chosen = tuple(manifest for manifest in small.manifests if manifest.partition_id == part)
    owned = {f"/{manifest.segment_id}/" for manifest in chosen}
    # The segments' manifests are snapshot files: they are not copied.
    copied = [key for key in small.digests if any(each in key for each in owned) and "/snapshots/" not in key]
    expected = replace(small, manifests=chosen, objects=len(copied))

    done = site.commands.restore(
        "start", small.uri, target.name, "--database", "shop", "--partition", "part_1", "--verify", "full"
    )

    assert done.code == 0, done.err
    assert_readable(done.out)
    assert f"restore/shop/{target.name} completed" in done.out
    assert 0 < len(chosen) < len(small.manifests)
    site.assert_proved(expected, target)


async def test_the_sdk_restores_from_another_bucket_and_leaves_that_one_as_it_is(
    site: Site, small: WrittenSample, library: Deployment
) -> None:
    target = site.target(small.shape)
    before = library.image()
    assert small.bucket != site.deployment.bucket
    client = await Client.connect(site.commands.address)

    result = await client.execute_workflow(
        "RestoreSnapshot",
        {"snapshot": small.uri, "target": target.name, "concurrency": 2},
        id=f"nightly-{target.name}",
        task_queue=site.commands.queue,
        result_type=dict,
    )

    assert_result(result, small, target.collection)
    site.assert_proved(small, target)
    assert before.changes(library.image()) == set()
