"""What people read when they look around, and when they start a worker that cannot work."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from starter.port import pick
from tests.e2e.commands import assert_readable
from tests.e2e.site import Site
from tests.e2e.worker_process import ROOT, clean

COMMANDS = ("start", "status", "list", "cancel", "pause", "resume", "set-concurrency", "demo", "local")

WRONG_FILES: dict[str, tuple[str, tuple[str, ...]]] = {
    "no TOML": ("[profiles", ("TOML",)),
    "an unknown key": ('[profiles.default.s3]\nbuket = "b"', ("buket", "'bucket'", "[profiles.default.s3]")),
    "a wrong type": ("[profiles.backup.s3]\nbucket = 7", ("bucket", "[profiles.backup.s3]")),
    "half a key pair": (
        '[profiles.backup.s3]\naccess_key_env = "A"',
        ("access_key", "secret_key", "[profiles.backup.s3]"),
    ),
    "an endpoint without scheme": (
        '[profiles.default.s3]\nendpoint = "s3.local:9000"',
        ("endpoint", "http://"),
    ),
}


def run_worker(environment: Mapping[str, str], home: Path) -> subprocess.CompletedProcess[str]:
    """Run a worker that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "worker.py"],
        cwd=ROOT,
        env=clean(environment, home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_one_sentence(done: "subprocess.CompletedProcess[str]", *says: str) -> None:
    assert_readable(done.stderr)
    (line,) = done.stderr.splitlines()
    missing = [text for text in says if text not in line]
    assert missing == [], line


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_worker_with_a_wrong_file_ends_with_2_and_one_sentence(tmp_path: Path, case: str) -> None:
    text, says = WRONG_FILES[case]
    file = tmp_path / "restore.toml"
    file.write_text(text)

    done = run_worker({"RESTORE_CONFIG": str(file)}, tmp_path)

    assert done.returncode == 2
    assert_one_sentence(done, "InvalidRequest", str(file), *says)


def test_a_worker_with_a_wrong_variable_ends_with_2_and_names_it(tmp_path: Path) -> None:
    done = run_worker({"RESTORE_S3_ENDPOINT": "s3.local:9000"}, tmp_path)

    assert done.returncode == 2
    assert_one_sentence(done, "RESTORE_S3_ENDPOINT", "http://")


def test_a_worker_without_temporal_ends_with_one_sentence_that_says_where(tmp_path: Path) -> None:
    address = f"127.0.0.1:{pick(('none',))['none']}"

    done = run_worker({"TEMPORAL_ADDRESS": address}, tmp_path)

    assert done.returncode == 4
    assert_one_sentence(done, address, "TEMPORAL_ADDRESS")


def test_help_names_every_command_and_its_exit_codes(site: Site) -> None:
    shown = site.commands.restore("--help")
    assert shown.code == 0
    assert_readable(shown.out)
    assert [name for name in COMMANDS if name not in shown.out] == []
    assert "the restore was cancelled" in shown.out


@pytest.mark.parametrize("command", ["start", "local"])
def test_help_of_a_command_is_readable(site: Site, command: str) -> None:
    shown = site.commands.restore(command, "--help")
    assert shown.code == 0
    assert_readable(shown.out)
    assert "Usage" in shown.out


def test_a_failed_restore_is_listed_and_its_status_says_why(site: Site) -> None:
    name = "no_such_collection"
    uri = f"s3://{site.deployment.bucket}/files/snapshots/1/metadata/2.json"
    site.commands.restore("start", uri, name)

    listed = site.commands.restore("list")
    status = site.commands.restore("status", name)

    for shown in (listed, status):
        assert shown.code == 0, shown.err
        assert_readable(shown.out)
        assert f"restore/default/{name}" in shown.out
        assert "failed" in shown.out
    assert "SnapshotNotFound" in status.out
    assert uri.removeprefix("s3://") in status.out


def test_the_status_of_an_unknown_restore_is_wrong_usage(site: Site) -> None:
    done = site.commands.restore("status", "never_restored")
    assert done.code == 2
    assert_readable(done.err)
    assert "never_restored" in done.err
