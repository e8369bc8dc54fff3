import asyncio
import json

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import Worker

from tests.starter.command_line import CommandLine, eventually, phase_of


async def _held(cli: CommandLine, target: str, how: str = "hold") -> None:
    """Have a restore copying into the target."""
    assert (await cli.run("start", how, target, "--detach")).code == 0
    await eventually(lambda: _in_phase(cli, target, "copying"), "the restore copies")


async def _in_phase(cli: CommandLine, target: str, phase: str) -> bool:
    return await phase_of(cli, target) == phase


async def test_cancel_waits_until_the_rollback_is_done(cli: CommandLine, worker: Worker, target: str) -> None:
    await _held(cli, target)
    process = await cli.spawn("cancel", target, "--reason", "wrong snapshot")
    await eventually(lambda: _in_phase(cli, target, "rolling_back"), "the rollback has begun")
    assert process.stderr
    assert (await asyncio.wait_for(process.stderr.readline(), 10)).startswith(b"rolling back: ")
    assert process.returncode is None, "the command waits for the rollback"
    await cli.restore(target).signal("end_rollback")
    ended = await cli.outcome(process)
    assert ended.code == 0, ended
    assert f"restore/default/{target} was cancelled and rolled back" in ended.err
    assert await cli.status(target) is WorkflowExecutionStatus.CANCELED
    events = (await cli.restore(target).fetch_history()).events
    reasons = [event.workflow_execution_cancel_requested_event_attributes.cause for event in events]
    assert "wrong snapshot" in reasons


async def test_a_detached_cancel_returns_while_the_rollback_goes_on(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    await _held(cli, target)
    ended = await cli.run("cancel", target, "--detach")
    assert ended.code == 0, ended
    await eventually(lambda: _in_phase(cli, target, "rolling_back"), "the rollback has begun")
    assert await cli.status(target) is WorkflowExecutionStatus.RUNNING
    await cli.restore(target).terminate()


async def test_cancelling_twice_is_no_error(cli: CommandLine, worker: Worker, target: str) -> None:
    await _held(cli, target)
    await cli.restore(target).signal("end_rollback")
    assert (await cli.run("cancel", target)).code == 0
    again = await cli.run("cancel", target)
    assert again.code == 0
    assert "is cancelled and rolled back already" in again.err


async def test_a_rollback_that_could_not_finish_ends_with_1_and_says_what_is_left(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    await _held(cli, target, "stuck")
    await cli.restore(target).signal("end_rollback")
    ended = await cli.run("cancel", target, "-o", "json")
    assert ended.code == 1
    assert json.loads(ended.out)["failure"] == {"type": "RollbackIncomplete", "message": "2 objects are left"}


async def test_a_cancel_after_the_point_of_no_return_ends_with_1_and_says_why(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    await _held(cli, target, "late")
    ended = await cli.run("cancel", target)
    assert ended.code == 1
    assert "the cancel came too late: publishing had begun" in ended.err
    assert f"restore/default/{target} completed" in ended.out


async def test_a_restore_is_paused_resumed_and_given_another_speed(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    await _held(cli, target)
    paused = await cli.run("pause", target)
    assert (paused.code, paused.out) == (0, f"restore/default/{target} copying (paused)\n")
    refused = await cli.run("pause", target)
    assert (refused.code, refused.err) == (1, "AlreadyPaused: the restore is paused already\n")
    resumed = await cli.run("resume", f"restore/default/{target}")
    assert (resumed.code, resumed.out) == (0, f"restore/default/{target} copying\n")
    faster = await cli.run("set-concurrency", target, "64", "-o", "json")
    assert faster.code == 0, faster
    assert json.loads(faster.out)["concurrency"] == 64
    progress = await cli.restore(target).query("progress")
    assert isinstance(progress, dict)
    assert (progress["paused"], progress["concurrency"]) == (False, 64)
    await cli.restore(target).terminate()


@pytest.mark.parametrize("value", ["0", "257", "eight"])
async def test_a_speed_out_of_range_ends_with_2(cli: CommandLine, value: str) -> None:
    cli.address = "127.0.0.1:1"
    assert (await cli.run("set-concurrency", "orders", value)).code == 2


@pytest.mark.parametrize("words", [["cancel"], ["pause"], ["resume"], ["set-concurrency", "8"], ["status"]])
async def test_a_restore_that_is_not_known_ends_with_2_and_one_sentence(
    cli: CommandLine, target: str, words: list[str]
) -> None:
    ended = await cli.run(words[0], target, *words[1:])
    assert ended.code == 2
    assert ended.err == (
        f"no restore into 'default/{target}', nor with the workflow id '{target}', "
        "is known in namespace 'default'; see `milvus-restore list`\n"
    )


async def test_what_is_no_restore_is_not_steered(cli: CommandLine, worker: Worker, target: str) -> None:
    await cli.client.execute_workflow("CopySegment", id=f"{target}/task-1", task_queue=cli.queue)
    ended = await cli.run("cancel", f"{target}/task-1")
    assert (ended.code, ended.err) == (2, f"the workflow '{target}/task-1' is a CopySegment, not a restore\n")


@pytest.mark.parametrize(
    ("words", "verb"), [(["pause"], "pause"), (["cancel"], "cancel"), (["set-concurrency", "8"], "set")]
)
async def test_an_ended_restore_cannot_be_steered(
    cli: CommandLine, worker: Worker, target: str, words: list[str], verb: str
) -> None:
    assert (await cli.run("start", "finish", target)).code == 0
    ended = await cli.run(words[0], target, *words[1:])
    assert ended.code == 2
    assert ended.err == f"restore/default/{target} is completed already: there is nothing to {verb}\n"


async def test_steering_without_a_worker_ends_with_5(cli: CommandLine, target: str) -> None:
    assert (await cli.run("start", "hold", target, "--detach")).code == 5
    ended = await cli.run("pause", target)
    assert ended.code == 5
    assert ended.err.startswith(f"no worker polls the task queue '{cli.queue}'")
    await cli.restore(target).terminate()


async def test_a_restore_that_another_client_started_under_its_own_id_is_found(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    request = {"snapshot": "hold", "target": target}
    await cli.client.start_workflow("RestoreSnapshot", request, id=f"own-{target}", task_queue=cli.queue)
    ended = await cli.run("pause", f"own-{target}")
    assert ended.code == 0, ended
    await cli.client.get_workflow_handle(f"own-{target}").terminate()
