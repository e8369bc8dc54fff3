import asyncio
import json
import os
import pty
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.worker import Worker

from restore import errors
from tests.starter.command_line import CommandLine, control_characters, copies, eventually
from tests.starter.fake_restore import RESULT, FakeRestore

FAILURE_TYPES = sorted(set(errors.__all__) - {"RestoreError", "StoreUnavailable", "InvalidRequest"})


async def test_a_restore_is_started_watched_and_reported(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    process = await cli.spawn("start", "hold", target)
    await eventually(lambda: copies(cli, target), "the restore copies")
    assert process.stderr
    line = await asyncio.wait_for(process.stderr.readline(), 10)
    assert line.decode() == (
        "copying: 22 %, 6 of 24 segments, 1,204 of 5,310 objects, 768.0 MiB of 3.0 GiB, "
        "64.0 MiB/s, 100 objects/s, about 36 s left, 16 tasks at once\n"
    )
    await cli.restore(target).signal("proceed")
    ended = await cli.outcome(process)
    assert ended.code == 0, ended
    assert control_characters(ended.out + ended.err) == []
    assert ended.out.splitlines() == [
        f"restore/default/{target} completed",
        "  job          4611686018427387905",
        "  collection   4611686018427387904",
        "  segments     24",
        "  rows         1,200,000",
        "  objects      5,310, 12 of them found in place",
        "  bytes        3,221,225,472 (3.0 GiB, 256.0 MiB/s)",
        "  duration     12 s",
        "  certificate  s3://a-bucket/files/restores/4611686018427387905/certificate.json",
        f"  web UI       http://ui:8080/namespaces/default/workflows/restore%2Fdefault%2F{target}",
    ]


async def test_json_carries_the_contract_s_result_and_nothing_else_is_on_stdout(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    ended = await cli.run("start", "continue/once", target, "-o", "json")
    assert ended.code == 0, ended
    answer = json.loads(ended.out)
    assert answer["result"] == RESULT.model_dump()
    assert (answer["workflow_id"], answer["status"]) == (f"restore/default/{target}", "completed")
    assert answer["failure"] is None


async def test_every_option_reaches_the_workflow(cli: CommandLine, worker: Worker, target: str) -> None:
    options = {"database": "shop", "source": "backup", "destination": "prod", "concurrency": "3"}
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    words += ["--verify", "full", "--on-failure", "keep", "--partition", "eu", "--partition", "us"]
    words += ["--rewrite-descriptors"]
    ended = await cli.run("start", "finish", target, *words)
    assert ended.code == 0, ended
    handle = cli.client.get_workflow_handle(f"restore/shop/{target}")
    begun = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
    assert [json.loads(payload.data) for payload in begun.input.payloads] == [
        {
            "snapshot": "finish",
            "target": target,
            "database": "shop",
            "source": "backup",
            "destination": "prod",
            "partitions": ["eu", "us"],
            "concurrency": 3,
            "verify": "full",
            "on_failure": "keep",
            "rewrite_descriptors": True,
        }
    ]


async def test_operators_find_a_restore_by_title_and_search_attributes(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    assert (await cli.run("start", "finish", target)).code == 0
    found = await cli.restore(target).describe()
    assert await found.static_summary() == f"Restore finish into default/{target}"
    assert "| concurrency | `16` |" in (await found.static_details() or "")
    attributes = {pair.key.name: pair.value for pair in found.typed_search_attributes}
    assert attributes["RestoreTarget"] == target
    assert attributes["RestoreSnapshotName"] == "finish"


@pytest.mark.parametrize("kind", FAILURE_TYPES)
async def test_a_failed_restore_ends_with_1_and_its_type_and_sentence(
    cli: CommandLine, worker: Worker, target: str, kind: str
) -> None:
    ended = await cli.run("start", f"fail/{kind}", target)
    assert ended.code == 1
    assert f"restore/default/{target} failed: {kind}: segment 442: {kind} in words" in ended.err
    assert ended.out == ""


async def test_an_invalid_request_that_only_the_worker_can_see_ends_with_2(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    ended = await cli.run("start", "fail/InvalidRequest", target, "-o", "json")
    assert ended.code == 2
    assert json.loads(ended.out)["failure"] == {
        "type": "InvalidRequest",
        "message": "segment 442: InvalidRequest in words",
    }
    assert "InvalidRequest: segment 442" in ended.err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["s", "t", "--concurrency", "257"], "field concurrency"),
        (["s", "t", "--concurrency", "0"], "field concurrency"),
        (["s", "t", "--concurrency", "many"], "integer"),
        (["", "t"], "field snapshot"),
        (["s", "t" * 256], "field target"),
        (["s", "t", "--verify", "sha"], "'size'"),
        (["s", "t", "--on-failure", "hope"], "'rollback'"),
        (["s"], "target"),
        (["s", "t", "--databas", "x"], "--database"),
    ],
)
async def test_a_request_that_cannot_be_meant_ends_with_2_without_asking_a_server(
    cli: CommandLine, words: list[str], complaint: str
) -> None:
    cli.address = "127.0.0.1:1"
    ended = await cli.run("start", *words)
    assert ended.code == 2
    assert complaint in ended.err


async def test_a_wrong_settings_file_ends_with_2(cli: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "restore.toml"
    path.write_text("task_que = 'x'", encoding="utf-8")
    cli.more = {"RESTORE_CONFIG": str(path)}
    ended = await cli.run("start", "finish", "orders")
    assert ended.code == 2
    assert ended.err == (
        f"InvalidRequest: {path}: the top level has no key 'task_que'; did you mean 'task_queue'?\n"
    )


async def test_a_second_start_is_refused_while_the_first_runs_and_names_it(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    assert (await cli.run("start", "hold", target, "--detach")).code == 0
    ended = await cli.run("start", "hold", target)
    assert ended.code == 1
    assert ended.err.startswith("TargetBusy: ")
    assert f"milvus-restore status restore/default/{target}" in ended.err
    assert await cli.status(target) is WorkflowExecutionStatus.RUNNING
    await cli.restore(target).terminate()


async def test_a_finished_restore_may_be_started_again_since_the_workflow_decides(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    assert (await cli.run("start", "finish", target)).code == 0
    assert (await cli.run("start", "finish", target)).code == 0


async def test_detach_returns_at_once_and_the_restore_goes_on(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    ended = await cli.run("start", "hold", target, "--detach", "-o", "json")
    assert ended.code == 0, ended
    assert json.loads(ended.out)["status"] == "running"
    assert await cli.status(target) is WorkflowExecutionStatus.RUNNING
    await cli.restore(target).signal("proceed")
    await cli.restore(target).result()


async def test_detach_says_with_5_that_no_worker_is_there(cli: CommandLine, target: str) -> None:
    ended = await cli.run("start", "hold", target, "--detach")
    assert ended.code == 5
    assert f"no worker polls the task queue '{cli.queue}'" in ended.err
    assert f"restore/default/{target} running" in ended.out
    await cli.restore(target).terminate()


async def test_a_watched_restore_without_worker_says_so_and_goes_on_when_one_comes(
    cli: CommandLine, target: str
) -> None:
    process = await cli.spawn("start", "finish", target)
    assert process.stderr
    line = await asyncio.wait_for(process.stderr.readline(), 15)
    assert line.decode() == (
        f"waiting: no worker polls the task queue '{cli.queue}'; start one with `python worker.py`\n"
    )
    async with Worker(cli.client, task_queue=cli.queue, workflows=[FakeRestore]):
        ended = await cli.outcome(process)
    assert ended.code == 0, ended
    assert "waiting" not in ended.err, "it is said once"


async def test_ctrl_c_leaves_the_restore_running_and_says_how_to_end_it(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    process = await cli.spawn("start", "hold", target)
    assert process.stderr
    await asyncio.wait_for(process.stderr.readline(), 15)
    process.send_signal(signal.SIGINT)
    ended = await cli.outcome(process)
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert f"the restore goes on as restore/default/{target}" in ended.err
    assert f"milvus-restore cancel restore/default/{target}" in ended.err
    assert await cli.status(target) is WorkflowExecutionStatus.RUNNING
    await cli.restore(target).terminate()


async def test_a_restore_that_is_cancelled_elsewhere_ends_with_3(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    process = await cli.spawn("start", "hold", target)
    await eventually(lambda: copies(cli, target), "the restore copies")
    await cli.restore(target).cancel()
    await cli.restore(target).signal("end_rollback")
    ended = await cli.outcome(process)
    assert ended.code == 3
    assert f"restore/default/{target} was cancelled and rolled back" in ended.err


async def test_a_terminated_restore_ends_with_1_and_says_that_nothing_was_rolled_back(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    process = await cli.spawn("start", "hold", target)
    await eventually(lambda: copies(cli, target), "the restore copies")
    await cli.restore(target).terminate(reason="by hand")
    ended = await cli.outcome(process)
    assert ended.code == 1
    assert "there was no rollback" in ended.err
    assert "by hand" in ended.err


async def test_a_terminal_shows_a_bar_and_keeps_only_the_result(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    leader, follower = pty.openpty()
    process = await cli.spawn("start", "hold", target, terminal=follower)
    os.close(follower)
    shown = await asyncio.to_thread(_read_until, leader, lambda text: "6 of 24 segments" in text)
    assert "━" in shown
    assert "about 36 s left" in shown
    await cli.restore(target).signal("proceed")
    ended, rest = await asyncio.gather(
        cli.outcome(process), asyncio.to_thread(_read_until, leader, lambda _: False)
    )
    os.close(leader)
    assert ended.code == 0, ended
    assert "\x1b[2K" in rest, "the bar is wiped off at the end"
    assert control_characters(ended.out) == []


def _read_until(terminal: int, enough: Callable[[str], bool]) -> str:
    """Read what a terminal shows until it is enough, or its other end is closed."""
    shown = b""
    while not enough(shown.decode(errors="ignore")):
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the process has ended
            break
    return shown.decode(errors="ignore")
