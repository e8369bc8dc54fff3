"""A process that we started: its identity, and its end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from starter.process import Process, end, spawn


def start(script: str, folder: Path) -> Process:
    """A shell that runs a script, once the script has said that it is ready."""
    log = folder / "log"
    process = spawn(["/bin/sh", "-c", script], folder, {"PATH": "/usr/bin:/bin"}, log)
    while process.alive and "ready" not in log.read_text():
        pass
    return process


def test_the_whole_group_ends(tmp_path: Path) -> None:
    process = start("sleep 600 & echo $! ready; wait", tmp_path)
    child = int((tmp_path / "log").read_text().split()[0])

    end([process], patience=10)

    assert not process.alive
    assert not Path(f"/proc/{child}").exists() or " Z " in Path(f"/proc/{child}/stat").read_text()


def test_one_that_ignores_sigterm_is_killed_after_the_patience(tmp_path: Path) -> None:
    process = start("trap '' TERM; echo ready; while :; do sleep 0.05; done", tmp_path)

    end([process], patience=0.2)

    assert not process.alive


def test_one_that_tidies_up_in_time_may_do_so(tmp_path: Path) -> None:
    process = start("trap 'echo tidy; exit' TERM; echo ready; while :; do sleep 0.05; done", tmp_path)

    end([process], patience=10)

    assert "tidy" in (tmp_path / "log").read_text()


def test_an_ended_child_is_not_alive_and_leaves_no_zombie(tmp_path: Path) -> None:
    process = start("echo ready", tmp_path)

    end([process], patience=10)

    assert not process.alive
    assert not Path(f"/proc/{process.pid}").exists()


def test_it_leads_a_session_of_its_own_so_that_a_terminals_ctrl_c_spares_it(tmp_path: Path) -> None:
    process = start("echo ready; exec sleep 600", tmp_path)

    session = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[3]
    end([process], patience=10)

    assert int(session) == process.pid


@pytest.mark.parametrize("change", [{"started": 1}, {"boot": "an earlier one"}])
def test_a_pid_with_another_start_is_another_process(change: dict[str, object], tmp_path: Path) -> None:
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as stranger:
        process = start("echo ready; exec sleep 600", tmp_path)
        mistaken = process.model_copy(update={"pid": stranger.pid, **change})

        mistaken.send(signal.SIGKILL)
        end([mistaken, process], patience=10)

        assert not mistaken.alive
        assert stranger.poll() is None
        stranger.kill()


def test_one_whose_first_thread_has_ended_is_alive_while_another_runs(tmp_path: Path) -> None:
    # So looks a killed server to the kernel's last moment with it: a zombie that still holds ports.
    program = (
        "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(600,)).start(); "
        "print('ready', flush=True); ctypes.CDLL(None).pthread_exit(None)"
    )
    process = start(f'exec {sys.executable} -c "{program}"', tmp_path)
    while not Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].startswith(" Z"):
        pass

    assert process.alive
    end([process], patience=10)
    assert not process.alive
