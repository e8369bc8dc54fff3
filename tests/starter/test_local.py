"""`milvus-restore local`, as a person uses it."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from starter.local import app
from starter.stack import Stack


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "local"
    Stack(tmp_path / "local").down()


def local(command: str, folder: Path) -> Result:
    return CliRunner().invoke(app, [command, "--folder", str(folder)])


def test_up_status_and_down(folder: Path) -> None:
    up = local("up", folder)
    assert up.exit_code == 0
    exported = dict(line.removeprefix("export ").split("=", 1) for line in up.stdout.splitlines())
    assert {name: shlex.split(value)[0] for name, value in exported.items()} == Stack(folder).settings()
    assert "web UI: http://127.0.0.1:" in up.stderr

    healthy = local("status", folder)
    assert healthy.exit_code == 0
    for server in Stack(folder).status():
        assert server.address in healthy.stdout
        assert str(server.pid) in healthy.stdout

    assert local("down", folder).exit_code == 0
    stopped = local("status", folder)
    assert stopped.exit_code == 1
    assert stopped.stdout.count("down") == 3
    assert local("down", folder).exit_code == 0


def test_status_where_nothing_was_started_says_how_to_start(folder: Path) -> None:
    answer = local("status", folder)

    assert answer.exit_code == 1
    assert "start one with: milvus-restore local up" in answer.stderr


def test_a_failed_start_is_a_sentence_and_the_servers_last_words_not_a_traceback(folder: Path) -> None:
    (folder / "etcd").mkdir(parents=True)
    (folder / "etcd" / "etcd.data").write_text("not a directory")

    answer = local("up", folder)

    assert answer.exit_code == 1
    assert answer.stderr.startswith("etcd ended while it was starting")
    assert "not a directory" in answer.stderr
    assert "Traceback" not in answer.output
