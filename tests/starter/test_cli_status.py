import json

from temporalio.worker import Worker

from tests.starter.command_line import CommandLine, eventually, phase_of
from tests.starter.fake_restore import RESULT, FakeRestore


async def _running(cli: CommandLine, target: str) -> None:
    assert (await cli.run("start", "hold", target, "--detach")).code == 0

    async def copies() -> bool:
        return await phase_of(cli, target) == "copying"

    await eventually(copies, "the restore copies")


async def test_a_running_restore_shows_how_far_it_is(cli: CommandLine, worker: Worker, target: str) -> None:
    await _running(cli, target)
    ended = await cli.run("status", target)
    assert ended.code == 0, ended
    assert ended.out.splitlines() == [
        f"restore/default/{target} running",
        "  copying: 22 %, 6 of 24 segments, 1,204 of 5,310 objects, 768.0 MiB of 3.0 GiB, "
        "64.0 MiB/s, 100 objects/s, about 36 s left, 16 tasks at once",
        f"  web UI  http://ui:8080/namespaces/default/workflows/restore%2Fdefault%2F{target}",
    ]
    await cli.restore(target).terminate()


async def test_a_finished_restore_shows_its_result(cli: CommandLine, worker: Worker, target: str) -> None:
    assert (await cli.run("start", "finish", target)).code == 0
    answer = json.loads((await cli.run("status", f"restore/default/{target}", "-o", "json")).out)
    assert (answer["status"], answer["result"]) == ("completed", RESULT.model_dump())
    assert answer["progress"]["phase"] == "completed"
    assert answer["task_queue"] == cli.queue


async def test_a_failed_restore_shows_its_reason(cli: CommandLine, worker: Worker, target: str) -> None:
    assert (await cli.run("start", "fail/ObjectMissing", target)).code == 1
    ended = await cli.run("status", target)
    assert ended.code == 0
    assert f"restore/default/{target} failed: ObjectMissing: segment 442: ObjectMissing in words" in ended.out


async def test_without_a_worker_the_status_says_so_and_still_answers(cli: CommandLine, target: str) -> None:
    async with Worker(cli.client, task_queue=cli.queue, workflows=[FakeRestore]):
        assert (await cli.run("start", "finish", f"{target}_done")).code == 0
    cli.queue += "-of-nobody"
    assert (await cli.run("start", "hold", target, "--detach")).code == 5
    running = await cli.run("status", target)
    assert running.code == 0
    assert f"no worker polls the task queue '{cli.queue}'" in running.err
    done = await cli.run("status", f"{target}_done")
    assert done.code == 0
    assert "  job          4611686018427387905" in done.out
    await cli.restore(target).terminate()


async def test_without_a_name_the_running_restore_is_shown(
    cli: CommandLine, worker: Worker, target: str
) -> None:
    await _running(cli, target)

    async def is_shown() -> bool:
        return f"restore/default/{target} running" in (await cli.run("status")).out

    await eventually(is_shown, "visibility knows the restore")
    await cli.restore(target).terminate()


async def test_list_shows_running_and_ended_restores(cli: CommandLine, worker: Worker, target: str) -> None:
    assert (await cli.run("start", "continue/once", f"{target}_done")).code == 0
    await _running(cli, target)
    ours = [f"restore/default/{target}", f"restore/default/{target}_done"]

    async def both_are_listed() -> bool:
        rows = json.loads((await cli.run("list", "--limit", "500", "-o", "json")).out)
        return [row["workflow_id"] for row in rows if (row["target"] or "").startswith(target)] == ours

    await eventually(both_are_listed, "visibility knows both restores, and each once")
    rows = json.loads((await cli.run("list", "--limit", "500", "-o", "json")).out)
    mine = {row["workflow_id"]: row for row in rows if (row["target"] or "").startswith(target)}
    assert [mine[name]["status"] for name in ours] == ["running", "completed"]
    assert [mine[name]["snapshot"] for name in ours] == ["hold", "continue/once"]
    lines = (await cli.run("list", "--limit", "500")).out.splitlines()
    assert lines[0].split() == ["id", "target", "snapshot", "phase", "percent", "started", "(UTC)", "status"]
    assert [line.split()[-1] for line in lines if f"{target}_done" in line] == ["completed"]
    await cli.restore(target).terminate()


async def test_list_can_be_narrowed_to_what_runs(cli: CommandLine, worker: Worker, target: str) -> None:
    assert (await cli.run("start", "finish", target)).code == 0

    async def is_listed() -> bool:
        return target in (await cli.run("list", "--limit", "500")).out

    await eventually(is_listed, "visibility knows the restore")
    assert target not in (await cli.run("list", "--running", "--limit", "500")).out
