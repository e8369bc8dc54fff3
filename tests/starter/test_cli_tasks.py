"""`milvus-restore tasks`, from records as restores write them."""

import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from formats.job_records import (
    advanced_job,
    completed_task,
    executing_job,
    failed_job,
    failed_task,
    mapping,
    pending_job,
    pending_task,
    running_task,
)
from formats.proto.data_pb2 import CopySegmentJob, CopySegmentTask
from starter.stack import Stack
from tests.e2e.deployment import Deployment, deployed
from tests.starter.command_line import CommandLine, Ended

BEGUN = datetime(2026, 1, 1, 12, tzinfo=UTC)
JOB, OTHER = 2**40, 2**40 + 100
REASON = "insert object s3://b/files/x is absent"


def message(value: bytes) -> CopySegmentTask:
    return CopySegmentTask.FromString(value)


def record(number: int, job: int = JOB) -> bytes:
    segments = [mapping(number, number + 1000, 5), mapping(number + 1, number + 1001, 5)]
    return pending_task(task_id=number, job_id=job, collection_id=444, mappings=segments, now=BEGUN)


@pytest.fixture(scope="module")
def deployment(stack: Stack) -> Iterator[Deployment]:
    """A cluster with one job of four tasks, each in another state, and a job of somebody else."""
    job = pending_job(
        job_id=JOB,
        collection_id=444,
        snapshot_name="nightly",
        source_collection_id=111,
        location="files/snapshots/111/metadata/1.json",
        mappings=[mapping(number, number + 1000, 5) for number in range(8)],
        rows=10,
        now=BEGUN,
    )
    ended = BEGUN + timedelta(minutes=1)
    tasks = {
        JOB + 1: completed_task(running_task(record(JOB + 1), 71), ended),
        JOB + 2: failed_task(running_task(running_task(record(JOB + 2), 71), 72), REASON, ended),
        JOB + 3: running_task(record(JOB + 3), 73),
        JOB + 4: record(JOB + 4),
        OTHER + 1: failed_task(record(OTHER + 1, OTHER), "of another job", ended),
    }
    with deployed(stack.settings()) as at:
        job = failed_job(advanced_job(executing_job(job), 2), REASON, ended)
        folder = f"{at.meta}/datacoord-meta"
        at.put({f"{folder}/copy-segment-job/{JOB}": CopySegmentJob.FromString(job)})
        at.put({f"{folder}/copy-segment-task/{number}": message(each) for number, each in tasks.items()})
        yield at


@pytest.fixture
def cli(deployment: Deployment, temporal_address: str) -> CommandLine:
    settings = dict(deployment.settings)
    return CommandLine(temporal_address, f"q-{secrets.token_hex(4)}", None, settings)  # type: ignore[arg-type]  # no Temporal is asked


async def listed(cli: CommandLine, *arguments: str) -> dict[str, dict[str, object]]:
    ended: Ended = await cli.run("tasks", str(JOB), "-o", "json", *arguments)
    assert ended.code == 0, ended
    return {each["task_id"]: each for each in json.loads(ended.out)["tasks"]}


async def test_all_tasks_of_the_job_are_listed_and_no_others(cli: CommandLine) -> None:
    found = await listed(cli)
    assert {number: each["state"] for number, each in found.items()} == {
        str(JOB + 1): "completed",
        str(JOB + 2): "failed",
        str(JOB + 3): "in_progress",
        str(JOB + 4): "pending",
    }


@pytest.mark.parametrize(
    ("states", "numbers"),
    [(["failed"], [2]), (["in_progress"], [3]), (["pending", "completed"], [1, 4])],
)
async def test_tasks_are_listed_by_state(cli: CommandLine, states: list[str], numbers: list[int]) -> None:
    found = await listed(cli, *(argument for state in states for argument in ("--state", state)))
    assert list(found) == [str(JOB + number) for number in numbers]


async def test_a_task_tells_who_had_it_how_often_and_why_it_failed(cli: CommandLine) -> None:
    assert (await listed(cli))[str(JOB + 2)] == {
        "task_id": str(JOB + 2),
        "state": "failed",
        "segments": 2,
        "worker": 72,
        "attempts": 2,
        "created": "2026-01-01T12:00:00Z",
        "ended": "2026-01-01T12:01:00Z",
        "reason": REASON,
    }
    assert (await listed(cli))[str(JOB + 4)]["worker"] is None


async def test_people_read_the_job_then_its_tasks_in_columns(cli: CommandLine) -> None:
    ended = await cli.run("tasks", str(JOB), "--state", "failed")
    first, second, head, row = ended.out.splitlines()
    assert first == f"job {JOB} into collection 444 is failed: 2 of 8 segments"
    assert second == f"  {REASON}"
    assert head.split()[:4] == ["task", "state", "segments", "worker"]
    assert row.endswith(f"2026-01-01 12:00:00  2026-01-01 12:01:00  {REASON}")


async def test_an_unknown_job_is_wrong_usage(cli: CommandLine) -> None:
    ended = await cli.run("tasks", "77")
    assert ended.code == 2
    assert "no record of job 77" in ended.err


async def test_an_unknown_state_is_wrong_usage(cli: CommandLine) -> None:
    ended = await cli.run("tasks", str(JOB), "--state", "done")
    assert ended.code == 2
    assert "in_progress" in ended.err
