import asyncio
import json
import socket
import time
from contextlib import closing
from pathlib import Path

from temporalio.client import Client
from temporalio.worker import Worker

from starter import port
from starter.process import Process, end, spawn
from starter.servers import Temporal
from tests.starter.command_line import CommandLine, copies, eventually
from tests.starter.fake_restore import RESULT, FakeRestore
from workflows.plugin import RestorePlugin


async def test_a_server_that_is_not_there_ends_with_4_in_one_sentence(cli: CommandLine, target: str) -> None:
    cli.address = "127.0.0.1:1"
    ended = await cli.run("start", "finish", target)
    assert ended.code == 4
    assert ended.err.startswith("Temporal cannot be reached at 127.0.0.1:1: connection refused; ")
    assert len(ended.err.splitlines()) == 1


async def test_a_server_that_never_answers_ends_with_4_within_5_seconds(
    cli: CommandLine, target: str
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        cli.address = f"127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        ended = await cli.run("start", "finish", target)
    assert ended.code == 4
    assert time.monotonic() - begun < 5
    assert f"Temporal cannot be reached at {cli.address}: no answer; " in ended.err


async def test_a_namespace_that_is_missing_ends_with_4_and_is_named(cli: CommandLine, target: str) -> None:
    ended = await cli.run("--namespace", "nowhere", "start", "finish", target)
    assert ended.code == 4
    assert ended.err == (
        f"the namespace 'nowhere' does not exist on Temporal at {cli.address}; set TEMPORAL_NAMESPACE\n"
    )


async def test_a_profile_of_temporal_that_is_missing_is_one_sentence(cli: CommandLine, target: str) -> None:
    cli.more = {"TEMPORAL_PROFILE": "nowhere"}
    ended = await cli.run("start", "finish", target)
    assert ended.code == 2
    assert "nowhere" in ended.err
    assert len(ended.err.splitlines()) == 1


async def test_a_watcher_outlives_a_restart_of_the_server(tmp_path: Path, target: str) -> None:
    ports = port.pick(Temporal.port_names)
    server = Temporal(folder=tmp_path, ports=ports, access_key="", secret_key="")
    running = _serve(server)
    try:
        client = await _reach(server.address)
        cli = CommandLine(server.address, "q", client)
        async with Worker(client, task_queue="q", workflows=[FakeRestore]):
            process = await cli.spawn("start", "hold", target, "-o", "json")
            await eventually(lambda: copies(cli, target), "the restore copies")
            await asyncio.to_thread(end, [running], 15.0)
            assert process.stderr
            while b"Temporal does not answer" not in await asyncio.wait_for(process.stderr.readline(), 30):
                assert process.returncode is None
            running = _serve(server)
            await (
                (await _reach(server.address))
                .get_workflow_handle(f"restore/default/{target}")
                .signal("proceed")
            )
            ended = await cli.outcome(process)
        assert ended.code == 0, ended
        assert json.loads(ended.out)["result"] == RESULT.model_dump(), "nothing else is written to stdout"
    finally:
        await asyncio.to_thread(end, [running], 15.0)


def _serve(server: Temporal) -> Process:
    server.prepare()
    return spawn(server.command(), folder=server.folder, environment=server.environment(), log=server.log)


async def _reach(address: str) -> Client:
    """Connect as soon as the server is there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return await Client.connect(address, plugins=[RestorePlugin()])
        except RuntimeError:
            assert time.monotonic() < deadline, f"no Temporal at {address}"
