"""A workflow is terminated while it publishes: whoever asks for the same restore again finishes it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from formats.job_records import is_completed
from formats.proto.common_pb2 import Flushed
from formats.proto.data_pb2 import SegmentInfo
from formats.records import published
from tests.e2e.commands import Commands
from tests.e2e.image import JOB
from tests.faults.fault import Fault
from tests.faults.ground import Ground, prepared
from tests.faults.hand import Hand
from tests.faults.run import restore
from tests.faults.scenario import Scenario
from tests.faults.steps import Step
from tests.faults.test_every_step import TINY
from tests.faults.test_way_out import message
from tests.faults.verdict import judge

SEGMENT = "/datacoord-meta/s/"


@pytest.fixture
def ground(
    request: pytest.FixtureRequest, servers: dict[str, str], tmp_path: Path, hand: Hand
) -> Iterator[Ground]:
    """A world in which a step of publishing is refused from its first request on."""
    step: Step = getattr(request, "param", "publish")
    scenario = Scenario(0, TINY, faults=(Fault("denied", step),), drawn=False)
    with prepared(servers, tmp_path, scenario, hand) as ground:
        yield ground


def owner_of(temporal: Client, ground: Ground) -> WorkflowHandle[Any, Any]:
    return temporal.get_workflow_handle(f"restore/default/{ground.target.name}")


async def publishing(ground: Ground, hand: Hand, temporal: Client) -> "asyncio.Task[str]":
    """A restore that waits in publishing for its right."""
    restoring = asyncio.ensure_future(restore(ground, hand, temporal))
    async with asyncio.timeout(60):
        while not ground.gate.struck or "a store refuses" not in await message(temporal, ground):
            await asyncio.wait([restoring], timeout=0.1)
    return restoring


async def cut_off(ground: Ground, hand: Hand, temporal: Client) -> None:
    """Terminate a restore while it publishes; then the right is given back."""
    restoring = await publishing(ground, hand, temporal)
    await owner_of(temporal, ground).terminate()
    assert (await restoring).startswith("failed: TerminatedError")
    ground.gate.close()


def publish_one(ground: Ground) -> None:
    """Have it be cut off between two transactions: one segment is visible, the other is not."""
    records = ground.deployment.image().records
    key = min(key for key in records if f"{SEGMENT}{ground.target.collection}/" in key)
    ground.deployment.write(key, published(records[key]))


async def assert_after(ground: Ground, hand: Hand, servers: dict[str, str]) -> None:
    await asyncio.to_thread(hand.crew.dismiss)
    verdict = judge(ground, servers, completed=True)
    assert (verdict.wrong, verdict.orphans) == ([], [])


@pytest.mark.parametrize("ground", ["publish", "certify", "complete"], indirect=True)
async def test_the_same_restore_started_again_finishes_it(
    ground: Ground, servers: dict[str, str], temporal: Client, hand: Hand
) -> None:
    await cut_off(ground, hand, temporal)
    copied = ground.copies.made

    assert await restore(ground, hand, temporal) == "completed"

    assert ground.copies.made == copied
    await assert_after(ground, hand, servers)


async def test_half_a_publishing_is_finished_even_when_the_snapshot_is_gone(
    ground: Ground, servers: dict[str, str], temporal: Client, hand: Hand
) -> None:
    await cut_off(ground, hand, temporal)
    publish_one(ground)
    at, key = ground.deployment, ground.written.key
    body = at.s3.get_object(Bucket=at.bucket, Key=key)["Body"].read()
    at.s3.delete_object(Bucket=at.bucket, Key=key)

    assert await restore(ground, hand, temporal) == "completed"

    at.s3.put_object(Bucket=at.bucket, Key=key, Body=body)
    await assert_after(ground, hand, servers)


async def test_the_doctor_finishes_it(
    ground: Ground, servers: dict[str, str], temporal: Client, hand: Hand, tmp_path: Path
) -> None:
    await cut_off(ground, hand, temporal)
    publish_one(ground)
    hand.crew.tend()
    commands = Commands(servers["TEMPORAL_ADDRESS"], ground.queue, tmp_path)
    commands.environment |= ground.deployment.settings | {"RESTORE_TASK_QUEUE": ground.queue}

    listed = await asyncio.to_thread(commands.restore, "doctor", "--orphans", "-o", "json")
    (found,) = listed.json["leftovers"]["remains"]
    assert (listed.code, found["standing"]) == (1, "unfinished")
    assert "doctor --orphans --confirm" in found["advice"]

    finished = await asyncio.to_thread(commands.restore, "doctor", "--orphans", "--confirm", "-o", "json")
    (removed,) = finished.json["leftovers"]["removed"]
    assert (finished.code, removed["failure"]) == (0, None), finished.out
    assert removed["finished"]["segments"] == TINY.segments
    await assert_after(ground, hand, servers)


async def test_another_restore_to_the_target_is_told_how_to_finish_it(
    ground: Ground, temporal: Client, hand: Hand
) -> None:
    await cut_off(ground, hand, temporal)
    before = ground.deployment.image()

    handle = await temporal.start_workflow(
        "RestoreSnapshot",
        {**ground.request, "partitions": ["_default"]},
        id=f"other-{ground.target.name}",
        task_queue=ground.queue,
    )
    ended = (await asyncio.wait([asyncio.ensure_future(handle.result())]))[0].pop().exception()

    said = str(getattr(ended, "cause", ended))
    assert "TargetBusy" in said or "is reserved by restore" in said
    assert "doctor --orphans --confirm" in said
    assert before.changes(ground.deployment.image()) == set()


async def test_while_its_workflow_runs_nobody_else_takes_it_over(
    ground: Ground, servers: dict[str, str], temporal: Client, hand: Hand
) -> None:
    restoring = await publishing(ground, hand, temporal)

    rival = await temporal.start_workflow(
        "RestoreSnapshot", ground.request, id=f"rival-{ground.target.name}", task_queue=ground.queue
    )
    ended = (await asyncio.wait([asyncio.ensure_future(rival.result())]))[0].pop().exception()
    assert "is reserved by restore" in str(getattr(ended, "cause", ended))

    ground.gate.close()
    assert await restoring == "completed"
    await assert_after(ground, hand, servers)


async def test_what_milvus_has_done_with_a_visible_segment_since_is_not_undone(
    ground: Ground, temporal: Client, hand: Hand
) -> None:
    await cut_off(ground, hand, temporal)
    records = ground.deployment.image().records
    first, second = sorted(key for key in records if f"{SEGMENT}{ground.target.collection}/" in key)
    compacted = SegmentInfo.FromString(published(records[first]))
    compacted.compacted = True
    ground.deployment.put({first: compacted})

    assert await restore(ground, hand, temporal) == "completed"

    after = ground.deployment.image().records
    assert SegmentInfo.FromString(after[first]) == compacted
    assert SegmentInfo.FromString(after[second]).state == Flushed
    assert [is_completed(value) for key, value in after.items() if JOB in key] == [True]
