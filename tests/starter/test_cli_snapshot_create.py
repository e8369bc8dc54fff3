"""`milvus-restore snapshot create`: how it ends, for people and for scripts."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

from tests.starter.command_line import CommandLine, eventually
from tests.starter.fake_snapshot import TAKEN, FakeSnapshot


@pytest.fixture
async def snapshot_worker(cli: CommandLine) -> AsyncIterator[Worker]:
    async with Worker(cli.client, task_queue=cli.queue, workflows=[FakeSnapshot]) as running:
        yield running


@pytest.fixture
def collection() -> str:
    """A collection of this test's own, since workflow ids are made of names."""
    return f"orders_{secrets.token_hex(6)}"


@pytest.mark.usefixtures("snapshot_worker")
async def test_a_snapshot_is_told_in_figures(cli: CommandLine, collection: str) -> None:
    ended = await cli.run("snapshot", "create", f"sales/{collection}", "nightly", "--flush")

    assert ended.code == 0, ended.err
    assert ended.out.startswith(f"snapshot/sales/{collection}/nightly completed\n")
    for figure in ("1,200,000", "5,310", "3.0 GiB", TAKEN.snapshot_id, TAKEN.metadata):
        assert figure in ended.out


@pytest.mark.usefixtures("snapshot_worker")
@pytest.mark.parametrize("output", ["text", "json"])
async def test_a_snapshot_that_milvus_does_not_protect_comes_with_a_warning(
    cli: CommandLine, collection: str, output: str
) -> None:
    ours = await cli.run("snapshot", "create", collection, "ours", "-o", output)
    milvuses = await cli.run("snapshot", "create", collection, "theirs", "-o", output)

    assert (ours.code, milvuses.code) == (0, 0)
    assert "warning: Milvus does not know this snapshot" in ours.err
    assert "warning" not in ours.out
    assert "warning" not in milvuses.err + milvuses.out


@pytest.mark.usefixtures("snapshot_worker")
async def test_scripts_get_json_and_a_failure_also_as_a_sentence(cli: CommandLine, collection: str) -> None:
    ended = await cli.run("snapshot", "create", collection, "nightly", "-o", "json")
    assert json.loads(ended.out) == {
        "workflow_id": f"snapshot/default/{collection}/nightly",
        "status": "completed",
        "result": json.loads(TAKEN.model_dump_json()),
        "failure": None,
    }

    failed = await cli.run("snapshot", "create", collection, "fail_SnapshotExists", "-o", "json")
    assert failed.code == 1
    assert json.loads(failed.out)["failure"]["type"] == "SnapshotExists"
    assert f"failed: SnapshotExists: default/{collection}/fail_SnapshotExists in words" in failed.err


@pytest.mark.usefixtures("snapshot_worker")
async def test_a_request_that_cannot_be_meant_is_wrong_usage(cli: CommandLine, collection: str) -> None:
    refused = await cli.run("snapshot", "create", collection, "fail_InvalidRequest")
    assert refused.code == 2
    here = await cli.run("snapshot", "create", collection, "7 nights")
    assert (here.code, "field name" in here.err) == (2, True)
    two = await cli.run("snapshot", "create", f"sales/{collection}", "nightly", "--database", "other")
    assert (two.code, "'sales'" in two.err, "'other'" in two.err) == (2, True, True)


@pytest.mark.usefixtures("snapshot_worker")
async def test_a_snapshot_that_is_being_made_is_not_begun_twice_and_may_be_cancelled(
    cli: CommandLine, collection: str
) -> None:
    begun = await cli.run("snapshot", "create", collection, "hold", "--detach")
    assert (begun.code, begun.out.strip()) == (0, f"snapshot/default/{collection}/hold running")

    again = await cli.run("snapshot", "create", collection, "hold")
    assert (again.code, "is being made already" in again.err) == (1, True)

    other = asyncio.create_task(cli.run("snapshot", "create", collection, "hold_too"))
    handle = cli.client.get_workflow_handle(f"snapshot/default/{collection}/hold_too")
    await eventually(lambda: is_running(handle), "the snapshot is begun")
    await handle.cancel()
    ended = await other
    assert (ended.code, "was cancelled, and nothing of it is left" in ended.err) == (3, True)
    await cli.client.get_workflow_handle(f"snapshot/default/{collection}/hold").terminate()


async def test_without_a_worker_the_snapshot_waits_and_says_so(cli: CommandLine, collection: str) -> None:
    ended = await cli.run("snapshot", "create", collection, "nightly")
    assert ended.code == 5
    assert f"waits as snapshot/default/{collection}/nightly" in ended.err
    await cli.client.get_workflow_handle(f"snapshot/default/{collection}/nightly").terminate()


async def is_running(handle: WorkflowHandle[Any, Any]) -> bool:
    try:
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    except RPCError:  # not there yet
        return False
