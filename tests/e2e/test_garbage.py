"""`milvus-restore gc` on real servers: it tells, then removes, and nothing while a snapshot is unreadable."""

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, ScheduleActionStartWorkflow

from formats.proto.data_pb2 import SnapshotInfo, SnapshotStateDeleting, SnapshotStatePending
from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.e2e.commands import assert_readable
from tests.e2e.image import Image
from tests.e2e.site import Site
from tests.e2e.slow_site import SlowSite, slow_site
from tests.e2e.valve import Valve
from tests.e2e.waiting import eventually

SHAPE = SampleShape(name="kept", segments=3, l0_segments=1, partitions=2, megabytes=0.2, dim=4)
OLD = int((time.time() - 7200) * 1000)


@pytest.fixture(scope="module")
def own(servers: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlowSite]:
    """A cluster of this module's own: garbage is looked for in all of it."""
    with slow_site(dict(servers), tmp_path_factory.mktemp("garbage")) as running:
        yield running


@pytest.fixture(scope="module")
def written(own: SlowSite) -> WrittenSample:
    return own.site.deployment.sample(SHAPE)


def left(site: Site, number: int, state: Any) -> set[str]:
    """A snapshot that came no further than this state; its keys."""
    deployment = site.deployment
    key = f"{deployment.meta}/datacoord-meta/snapshot/{SHAPE.collection_id}/{number}"
    info = SnapshotInfo(
        name=f"s{number}",
        id=number,
        collection_id=SHAPE.collection_id,
        state=state,
        pending_start_time=OLD,
    )
    deployment.put({key: info})
    folder = f"{deployment.root}/snapshots/{SHAPE.collection_id}"
    files = {f"{folder}/manifests/{number}/1.avro", f"{folder}/metadata/{number}.json"}
    for file in files:
        deployment.s3.put_object(Bucket=deployment.bucket, Key=file, Body=b"half written")
    return {key, *files}


def pinned_once(site: Site, written: WrittenSample) -> str:
    """The committed snapshot's record, with a pin that has expired."""
    key = f"{site.deployment.meta}/datacoord-meta/snapshot/{SHAPE.collection_id}/{written.shape.snapshot_id}"
    ((_, value),) = site.deployment.scan(key)
    info = SnapshotInfo.FromString(value)
    info.pin_ids.append(77)
    info.pin_expire_at_ms[77] = OLD
    site.deployment.put({key: info})
    return key


def test_what_is_left_is_told_then_removed_and_all_else_stays(own: SlowSite, written: WrittenSample) -> None:
    site, target = own.site, own.site.target(SHAPE)
    before = site.deployment.image()
    with own.held_back() as valve:
        orphan = abandoned(own, valve, written, target.name)
        garbage = left(site, 5, SnapshotStatePending) | left(site, 6, SnapshotStateDeleting)
        pinned_once(site, written)
        full = site.deployment.image()

        told = site.commands.restore("gc", "-o", "json")

    assert told.code == 0, told.err
    found = told.json["result"]["found"]
    assert sorted(each["kind"] for each in found) == ["deleting", "pending", "pins", "restore"]
    assert [each["job_id"] for each in found if each["kind"] == "restore"] == [orphan]
    assert (told.json["result"]["collected"], told.json["result"]["snapshots"]) == ([], 1)
    assert all(each["kept"] == "" for each in found)
    assert full.changes(site.deployment.image()) == set(), "it only looks"

    removed = site.commands.restore("gc", "--confirm")

    assert removed.code == 0, removed.out + removed.err
    assert_readable(removed.out)
    after = site.deployment.image()
    assert rest(before, after) == {f"{site.deployment.meta}/datacoord-meta/copy-segment-job/{orphan}"}
    assert garbage.isdisjoint({*after.objects, *after.records})
    assert site.commands.restore("gc", "-o", "json").json["result"]["found"] == []
    again = site.commands.execute({"snapshot": written.uri, "target": target.name})
    assert again.status == "COMPLETED", again.message


def abandoned(own: SlowSite, valve: Valve, written: WrittenSample, target: str) -> str:
    """A restore that was terminated while it copied; its job."""
    known = set(own.site.deployment.image().records)
    workflow_id = own.site.commands.begin({"snapshot": written.uri, "target": target})
    own.half_copied(valve, 5)
    own.site.commands.workflow("terminate", "-w", workflow_id)
    valve.open()
    eventually(lambda: has_ended(own.site, f"restore/default/{target}/task-0"), "nothing copies any more")
    jobs = [each for each in own.site.deployment.image().records if "copy-segment-job/" in each]
    return next(each.rpartition("/")[2] for each in jobs if each not in known)


def has_ended(site: Site, workflow_id: str) -> bool:
    info = site.commands.describe(workflow_id)["workflowExecutionInfo"]
    return bool(info["status"] != "WORKFLOW_EXECUTION_STATUS_RUNNING")


def rest(before: Image, after: Image) -> set[str]:
    return {each for each in before.changes(after) if not each.endswith("milvus-restore/id-counter")}


@pytest.mark.parametrize("file", ["metadata", "manifest", "seal"])
def test_nothing_is_removed_while_a_committed_snapshot_cannot_be_read(
    own: SlowSite, written: WrittenSample, file: str
) -> None:
    site, key = own.site, written.key
    if file == "manifest":
        key = f"{SHAPE.root}/snapshots/{SHAPE.collection_id}/manifests/{SHAPE.snapshot_id}/"
        key += f"{written.manifests[0].segment_id}.avro"
    garbage = left(site, 8, SnapshotStateDeleting)
    if file == "seal":
        key = key.removesuffix(".json") + ".seal.json.gz"
        good = None
    else:
        good = site.deployment.s3.get_object(Bucket=site.deployment.bucket, Key=key)["Body"].read()
    site.deployment.s3.put_object(Bucket=site.deployment.bucket, Key=key, Body=b"damaged")
    before = site.deployment.image()

    told = site.commands.restore("gc", "--confirm")

    assert told.code == 1
    assert "SnapshotCorrupt" in told.err
    assert before.changes(site.deployment.image()) == set()
    if good is None:
        site.deployment.s3.delete_object(Bucket=site.deployment.bucket, Key=key)
    else:
        site.deployment.s3.put_object(Bucket=site.deployment.bucket, Key=key, Body=good)
    assert site.commands.restore("gc", "--confirm").code == 0
    assert garbage.isdisjoint(site.deployment.image().objects)


async def test_a_schedule_is_set_up_and_changed(own: SlowSite) -> None:
    client = await Client.connect(own.site.commands.address)
    schedule = client.get_schedule_handle("gc/default")

    try:
        for hours in ("2400", "1200"):
            told = own.site.commands.restore("gc", "--confirm", "--every-hours", hours)
            assert told.code == 0, told.err
        described = (await schedule.describe()).schedule
    finally:
        await schedule.delete()

    (interval,) = described.spec.intervals
    assert interval.every == timedelta(hours=1200)
    assert isinstance(described.action, ScheduleActionStartWorkflow)
    assert described.action.workflow == "CollectGarbage"
