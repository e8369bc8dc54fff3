"""The first thing that a newcomer runs."""

import subprocess
from pathlib import Path

from tests.e2e.commands import SCRIPTS, assert_readable
from tests.e2e.worker_process import clean

LINES = 12
"""Of the proof."""

FOLDERS = 3
"""That a demo is given, and that are left, empty."""


def related(folder: Path) -> list[str]:
    """The command lines of processes in whose environment or command line a folder is named."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            said = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:  # ended, or somebody else's
            continue
        if str(folder).encode() in said:
            found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def demo(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a short one whose home, temporary and working folders lie below this one."""
    temporary, home, here = (folder / name for name in ("tmp", "home", "here"))
    for each in (temporary, home, here):
        each.mkdir()
    return subprocess.run(
        [str(SCRIPTS / "milvus-restore"), "demo", "--segments", "4", "--megabytes", "8", *words],
        cwd=here,
        env=clean({"TMPDIR": str(temporary)}, home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


def test_the_demo_proves_its_restore_and_leaves_nothing(tmp_path: Path) -> None:
    done = demo(tmp_path)

    assert done.returncode == 0, done.stderr
    assert_readable(done.stdout)
    assert "Traceback" not in done.stderr
    assert "completed" in done.stdout
    assert "Proof of the restore" in done.stdout
    assert done.stdout.count("ok") >= LINES
    assert "differs" not in done.stdout
    assert related(tmp_path) == []
    assert len(list(tmp_path.rglob("*"))) == FOLDERS


def test_a_milvus_that_is_not_there_is_said_before_anything_is_started(tmp_path: Path) -> None:
    done = demo(tmp_path, "--milvus", "nowhere")

    assert done.returncode == 1
    assert done.stdout == ""
    assert "nowhere has no Milvus" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(list(tmp_path.rglob("*"))) == FOLDERS
