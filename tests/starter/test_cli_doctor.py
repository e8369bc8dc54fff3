import json
import secrets
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from temporalio.client import Client

from activities.reserving import ReserveActivities
from formats.job_records import completed_job, hybrid, is_ended
from formats.proto.common_pb2 import Importing
from formats.proto.data_pb2 import (
    CopySegmentJob,
    CopySegmentJobCompleted,
    CopySegmentJobFailed,
    SegmentInfo,
)
from restore.profiles import EtcdSettings, Profile, S3Settings
from restore.settings import Settings
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, write_sample
from starter import port
from starter.stack import Stack
from stores.ids import FIRST
from stores.metadata import EtcdMetadataStore
from stores.ports import ObjectStore
from stores.reservations import Reservations
from stores.s3 import S3ObjectStore
from tests.activities.scene import WORKFLOW, Scene, SharedClients
from tests.starter.command_line import CommandLine, Ended
from worker import build_worker
from workflows.plugin import RestorePlugin

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHAPE = SampleShape(segments=2, partitions=2, megabytes=0.1, dim=4)


@pytest.fixture(scope="module")
async def temporal(temporal_address: str) -> Client:
    """A client; what earlier tests left running is ended, as the doctor would take it for live restores."""
    client = await Client.connect(temporal_address, plugins=[RestorePlugin()])
    async for found in client.list_workflows("ExecutionStatus = 'Running'"):
        await client.get_workflow_handle(found.id).terminate()
    return client


@pytest.fixture(scope="module")
def written(s3_client: "S3Client") -> WrittenSample:
    bucket = f"origin-{secrets.token_hex(6)}"
    s3_client.create_bucket(Bucket=bucket)
    return write_sample(s3_client, bucket, SHAPE)


@pytest.fixture(scope="module")
def store(stack: Stack) -> Iterator[ObjectStore]:
    known = stack.settings()
    made = S3ObjectStore.connect(
        "default",
        endpoint=known["RESTORE_S3_ENDPOINT"],
        region="us-east-1",
        access_key=known["AWS_ACCESS_KEY_ID"],
        secret_key=known["AWS_SECRET_ACCESS_KEY"],
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def metadata(etcd_endpoint: str) -> Iterator[EtcdMetadataStore]:
    made = EtcdMetadataStore.connect("default", [etcd_endpoint])
    yield made
    made.close()


@dataclass
class Practice:
    """The doctor, and a scene whose restores get into all kinds of trouble."""

    scene: Scene
    cli: CommandLine

    async def run(self, *words: str) -> Ended:
        return await self.cli.run("doctor", *words)

    async def report(self, *words: str) -> tuple[int, dict[str, Any]]:
        ended = await self.run(*words, "-o", "json")
        return ended.code, json.loads(ended.out)

    async def remains(self, *words: str) -> dict[str, dict[str, Any]]:
        """What `--orphans` tells of each job."""
        _, report = await self.report("--orphans", *words)
        return {each["job_id"]: each for each in report["leftovers"]["remains"]}

    def checks(self, report: dict[str, Any]) -> dict[str, str]:
        return {each["what"]: each["state"] for each in report["checks"]}


@pytest.fixture
def practice(
    stack: Stack,
    temporal: Client,
    s3_client: "S3Client",
    written: WrittenSample,
    store: ObjectStore,
    metadata: EtcdMetadataStore,
    bucket: str,
    etcd_root: str,
    etcd_endpoint: str,
) -> Iterator[Practice]:
    known, queue = stack.settings(), f"q-{secrets.token_hex(6)}"
    s3 = S3Settings(endpoint=known["RESTORE_S3_ENDPOINT"])
    etcd = EtcdSettings(endpoints=(etcd_endpoint,), root_path=etcd_root)
    profiles = (
        Profile(name="default", s3=s3.model_copy(update={"bucket": bucket}), etcd=etcd),
        Profile(name="origin", s3=s3.model_copy(update={"bucket": written.bucket})),
    )
    settings = Settings(task_queue=queue, profiles={each.name: each for each in profiles})
    clients = SharedClients(settings, {"default": store, "origin": store})
    clients.metadata_stores["default"] = metadata
    address = temporal.service_client.config.target_host
    more = {
        **known,
        "RESTORE_S3_BUCKET": bucket,
        "RESTORE_ETCD_ROOT_PATH": etcd_root,
        "RESTORE_TASK_QUEUE": queue,
    }
    cli = CommandLine(address, queue, temporal, more)
    yield Practice(Scene(clients, s3_client, metadata, written, temporal), cli)
    clients.close()


@pytest.fixture
async def worker(practice: Practice) -> AsyncIterator[None]:
    """A real worker for the scene's deployment."""
    clients, client = practice.scene.clients, practice.cli.client
    async with build_worker(client, clients, practice.cli.queue, search_attributes=False):
        yield


def job(practice: Practice, job_id: str) -> CopySegmentJob:
    return CopySegmentJob.FromString(practice.scene.value(practice.scene.keys.copy_segment_job(int(job_id))))


async def test_what_restores_need_is_there(practice: Practice, worker: None) -> None:
    code, report = await practice.report()
    assert practice.checks(report) == {
        "settings": "ok",
        "object store of 'default'": "ok",
        "etcd of 'default'": "ok",
        "Temporal": "ok",
        "search attributes": "ok",
        "workers for workflows": "ok",
        "workers for activities": "ok",
    }
    assert (code, report["leftovers"]) == (0, None)
    text = (await practice.run()).out
    assert text.splitlines()[0].split() == ["what", "found", "what", "to", "do"]


async def test_without_a_worker_it_says_how_to_start_one(practice: Practice) -> None:
    code, report = await practice.report()
    sick = {each["what"]: each for each in report["checks"] if each["state"] == "problem"}
    assert (code, set(sick)) == (1, {"workers for workflows", "workers for activities"})
    assert sick["workers for workflows"]["advice"] == "start one with `python worker.py`"


@pytest.mark.parametrize(
    ("setting", "value", "what", "state"),
    [
        ("RESTORE_S3_BUCKET", "b-nowhere", "object store of 'default'", "problem"),
        ("AWS_SECRET_ACCESS_KEY", "wrong", "object store of 'default'", "problem"),
        ("RESTORE_ETCD_ENDPOINTS", "127.0.0.1:{closed}", "etcd of 'default'", "problem"),
        ("RESTORE_ETCD_ROOT_PATH", "elsewhere", "etcd of 'default'", "note"),
        ("TEMPORAL_ADDRESS", "127.0.0.1:{closed}", "Temporal", "problem"),
        ("TEMPORAL_NAMESPACE", "elsewhere", "Temporal", "problem"),
        ("RESTORE_MILVUS_ADDRESS", "127.0.0.1:{closed}", "Milvus of 'default', proxy", "problem"),
    ],
)
async def test_a_wrong_setting_is_found_and_nothing_else(
    practice: Practice, worker: None, setting: str, value: str, what: str, state: str
) -> None:
    practice.cli.more[setting] = value.format(**port.pick(["closed"]))
    code, report = await practice.report("--orphans")
    (found,) = [each for each in report["checks"] if each["state"] == state and each["what"] == what]
    assert found["advice"]
    others = [
        each for each in report["checks"] if each["state"] == "problem" and "coordinator" not in each["what"]
    ]
    assert [each for each in others if each["what"] != what] == []
    assert code == int(state == "problem")
    assert (report["leftovers"] is None) == (state == "problem")


async def test_every_profile_is_looked_at_or_the_one_that_is_named(
    practice: Practice, worker: None, tmp_path: Path
) -> None:
    config = tmp_path / "restore.toml"
    config.write_text('[profiles.backup.s3]\nbucket = "b-nowhere"\nendpoint = "http://127.0.0.1:1"\n')
    practice.cli.more["RESTORE_CONFIG"] = str(config)
    assert practice.checks((await practice.report())[1])["object store of 'backup'"] == "problem"
    code, report = await practice.report("--profile", "default")
    assert (code, "object store of 'backup'" in practice.checks(report)) == (0, False)
    unknown = await practice.run("--profile", "nowhere")
    assert (unknown.code, "no profile is named 'nowhere'" in unknown.err) == (2, True)


async def test_confirm_goes_with_orphans_alone(practice: Practice) -> None:
    ended = await practice.run("--confirm")
    assert (ended.code, "give both" in ended.err) == (2, True)


async def test_where_nothing_was_left_it_says_so(practice: Practice, worker: None) -> None:
    ended = await practice.run("--orphans")
    assert (ended.code, ended.out.splitlines()[-1]) == (
        0,
        "no restore has left anything at profile 'default'",
    )


async def test_a_completed_restore_has_left_nothing_even_when_its_job_is_forgotten(
    practice: Practice, worker: None
) -> None:
    staged = await practice.scene.finish()
    assert await practice.remains() == {}
    practice.scene.drop(practice.scene.keys.copy_segment_job(int(staged.plan.job_id)))
    before = practice.scene.image()
    code, report = await practice.report("--orphans", "--confirm")
    assert (code, report["leftovers"]["remains"], report["leftovers"]["removed"]) == (0, [], [])
    assert practice.scene.image() == before


async def test_a_killed_restore_is_listed_with_all_it_left_and_removed(
    practice: Practice, worker: None, s3_client: "S3Client"
) -> None:
    scene, before = practice.scene, practice.scene.image()
    staged = await scene.stage()
    planned = scene.objects(staged.plan)
    s3_client.create_multipart_upload(Bucket=scene.bucket, Key=planned[0].target)
    (found,) = (await practice.remains()).values()
    assert (found["job_id"], found["standing"], found["target"]) == (
        staged.plan.job_id,
        "orphan",
        "default/orders",
    )
    assert "is not known in namespace 'default'" in found["reason"]
    debris = found["debris"]
    assert (debris["objects"], debris["bytes"]) == (len(planned), scene.written.bytes)
    assert (debris["uploads"], debris["staged"], debris["tasks"]) == (1, SHAPE.segments, staged.plan.tasks)
    assert debris["records"] > SHAPE.segments

    listed = await practice.run("--orphans")
    assert listed.code == 1
    assert f"{len(planned):,} objects" in listed.out
    assert scene.image().objects.keys() > before.objects.keys()

    code, report = await practice.report("--orphans", "--confirm")
    (removed,) = report["leftovers"]["removed"]
    assert (code, removed["failure"]) == (0, None)
    assert removed["result"]["objects"] == len(planned)
    ours = (scene.keys.copy_segment_job(int(staged.plan.job_id)), scene.keys.id_counter)
    assert before.changes(scene.image()) <= set(ours)
    assert job(practice, staged.plan.job_id).state == CopySegmentJobFailed
    assert await practice.remains() == {}


async def test_a_restore_that_was_terminated_is_an_orphan_and_one_that_runs_is_not(
    practice: Practice, worker: None
) -> None:
    client, scene = practice.cli.client, practice.scene
    handle = await client.start_workflow(
        "RestoreSnapshot", scene.request(), id=WORKFLOW, task_queue="q-of-nobody"
    )
    staged = await scene.begin()
    await scene.copy(staged)
    before = scene.image()
    code, report = await practice.report("--orphans", "--confirm")
    (found,) = report["leftovers"]["remains"]
    assert (code, found["standing"], found["debris"]) == (0, "running", None)
    assert scene.image() == before
    await handle.terminate()
    (found,) = (await practice.remains()).values()
    assert (found["standing"], "has ended" in found["reason"]) == ("orphan", True)


async def test_a_restore_that_is_being_planned_is_left_alone(practice: Practice, worker: None) -> None:
    ref = await practice.scene.plan()
    other = practice.scene.request(target="another")
    before = practice.scene.image()
    handle = await practice.cli.client.start_workflow(
        "RestoreSnapshot", other, id="restore/default/another", task_queue="q-of-nobody"
    )
    code, report = await practice.report("--orphans", "--confirm")
    await handle.terminate()
    assert [each["standing"] for each in report["leftovers"]["remains"]] == ["running"]
    assert (code, practice.scene.image()) == (0, before)
    (found,) = report["leftovers"]["remains"]
    assert found["job_id"] == ref.job_id
    assert found["reason"].startswith("perhaps being planned by restore/default/another")


async def test_a_plan_that_nobody_makes_any_more_is_removed(practice: Practice, worker: None) -> None:
    scene, before = practice.scene, practice.scene.image()
    whole, half = await scene.plan(), await scene.plan()
    scene.s3.delete_object(Bucket=scene.bucket, Key=half.key)
    found = await practice.remains()
    assert {each["standing"] for each in found.values()} == {"orphan"}
    assert {each["reason"] for each in found.values()} == {"it ended before it reserved its target"}
    code, report = await practice.report("--orphans", "--confirm")
    assert (code, {each["job_id"] for each in report["leftovers"]["removed"]}) == (
        0,
        {whole.job_id, half.job_id},
    )
    assert before.objects == scene.image().objects


async def test_a_kept_restore_is_listed_and_left_alone(practice: Practice, worker: None) -> None:
    scene = practice.scene
    staged = await scene.stage(on_failure="keep")
    await scene.run(ReserveActivities(scene.clients).keep_restore, staged)
    before = scene.image()
    code, report = await practice.report("--orphans", "--confirm")
    (found,) = report["leftovers"]["remains"]
    assert (code, found["standing"], report["leftovers"]["removed"]) == (0, "kept", [])
    assert found["debris"]["objects"] == len(scene.objects(staged.plan))
    assert scene.image() == before


async def test_what_was_cut_off_while_publishing_is_never_removed_but_finished(
    practice: Practice, worker: None
) -> None:
    scene = practice.scene
    staged = await scene.stage()
    reservations = Reservations(scene.metadata, scene.keys)
    reservations.change(scene.collection, staged.plan.job_id, staged.epoch, "publishing", {})
    before = scene.image()
    listed = await practice.run("--orphans")
    assert (listed.code, "unfinished" in listed.out, scene.image()) == (1, True, before)
    ended = await practice.run("--orphans", "--confirm")
    assert (ended.code, ended.out.splitlines()[-1]) == (
        0,
        f"restore {staged.plan.job_id} is finished: {SHAPE.segments} segments are published",
    )
    assert job(practice, staged.plan.job_id).state == CopySegmentJobCompleted
    assert scene.image().objects.keys() > before.objects.keys()
    assert await practice.remains() == {}


async def test_a_restore_whose_plan_is_elsewhere_needs_a_person(practice: Practice, worker: None) -> None:
    scene = practice.scene
    staged = await scene.stage()
    scene.s3.delete_object(Bucket=scene.bucket, Key=staged.plan.key)
    before = scene.image()
    code, report = await practice.report("--orphans", "--confirm")
    (found,) = report["leftovers"]["remains"]
    assert (code, found["standing"], found["debris"]["staged"]) == (1, "stuck", SHAPE.segments)
    assert "its plan is absent" in found["reason"]
    assert scene.image() == before


async def test_a_restore_whose_reservation_is_gone_is_removed(practice: Practice, worker: None) -> None:
    scene, before = practice.scene, practice.scene.image()
    staged = await scene.stage()
    scene.drop(scene.keys.reservation(scene.collection))
    code, report = await practice.report("--orphans", "--confirm")
    (found,) = report["leftovers"]["remains"]
    assert (code, found["reason"]) == (0, "its reservation is gone")
    assert scene.image().objects == before.objects
    assert is_ended(job(practice, staged.plan.job_id).SerializeToString())


async def test_a_rollback_that_cannot_finish_says_why(practice: Practice, worker: None) -> None:
    scene = practice.scene
    staged = await scene.begin()
    scene.s3.put_object(Bucket=scene.bucket, Key=staged.plan.key, Body=b"damaged")
    code, report = await practice.report("--orphans", "--confirm")
    (found,), (removed,) = report["leftovers"]["remains"], report["leftovers"]["removed"]
    assert (code, found["standing"], removed["result"]) == (1, "orphan", None)
    assert staged.plan.key in found["debris"]["unreadable"]
    assert staged.plan.key in removed["failure"]


async def test_without_a_worker_nothing_can_be_removed(practice: Practice) -> None:
    await practice.scene.begin()
    ended = await practice.run("--orphans", "--confirm")
    assert ended.code == 5
    assert f"no worker polls the task queue '{practice.cli.queue}'" in ended.err
    async for found in practice.cli.client.list_workflows("WorkflowType = 'RollbackRestore'"):
        if found.task_queue == practice.cli.queue:
            await practice.cli.client.get_workflow_handle(found.id).terminate()


async def test_hidden_segments_of_no_restore_on_record_are_named(practice: Practice, worker: None) -> None:
    scene = practice.scene
    stray = SegmentInfo(ID=FIRST + 5, collectionID=77, state=Importing, is_importing=True)
    foreign = SegmentInfo(ID=FIRST - 5, collectionID=77, state=Importing, is_importing=True)
    for each in (stray, foreign):
        scene.put(scene.keys.segment(77, 1, each.ID), each.SerializeToString())
    code, report = await practice.report("--orphans")
    assert (code, report["leftovers"]["strays"]) == (
        1,
        [{"collection_id": "77", "segments": [str(FIRST + 5)]}],
    )
    assert "collection 77 has 1 hidden segments of no restore" in (await practice.run("--orphans")).out


async def test_job_records_past_their_time_are_counted_and_removed(practice: Practice, worker: None) -> None:
    scene = practice.scene
    long_ago = datetime.now(UTC) - timedelta(days=1)
    for number in (FIRST + 9, FIRST - 9):
        done = completed_job(CopySegmentJob(job_id=number).SerializeToString(), long_ago)
        assert CopySegmentJob.FromString(done).cleanup_ts < hybrid(datetime.now(UTC))
        scene.put(scene.keys.copy_segment_job(number), done)
    code, report = await practice.report("--orphans")
    assert (code, report["leftovers"]["expired"]) == (0, 1)
    assert (await practice.report("--orphans", "--confirm"))[0] == 0
    assert scene.metadata.get(scene.keys.copy_segment_job(FIRST + 9)) is None
    assert scene.metadata.get(scene.keys.copy_segment_job(FIRST - 9)) is not None


async def test_a_reservation_of_another_version_is_not_judged(practice: Practice, worker: None) -> None:
    scene = practice.scene
    await scene.begin()
    scene.put(scene.keys.reservation(scene.collection), b'{"of": "a newer version"}')
    before = scene.image()
    ended = await practice.run("--orphans", "--confirm")
    assert (ended.code, "UnsupportedFormat: the reservation" in ended.err) == (1, True)
    assert scene.image() == before
