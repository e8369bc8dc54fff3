"""A whole restore with TLS, users and a private authority before every server."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from samples.shape import SampleShape
from tests.e2e.commands import Commands, Told, assert_readable
from tests.e2e.deployment import Deployment
from tests.e2e.site import new_name, new_queue
from tests.e2e.worker_process import WorkerProcess, working
from tests.security.guarded import Guarded

SHAPE = SampleShape(segments=2, partitions=2, megabytes=0.06, dim=8)
BY_NAME = f"{SHAPE.name}/{SHAPE.snapshot}"


@pytest.fixture(scope="module")
def deployment(servers: Guarded) -> Deployment:
    """A Milvus with a snapshot."""
    return servers.deployment()


@pytest.fixture(scope="module")
def environment(servers: Guarded, deployment: Deployment) -> dict[str, str]:
    """What leads a worker to all of them."""
    return {**servers.admit(deployment, deployment), **servers.tls_to_temporal}


def test_a_restore_ends_well_through_tls_everywhere(
    servers: Guarded, deployment: Deployment, environment: dict[str, str], tmp_path: Path
) -> None:
    written = deployment.sample(SHAPE)
    name = new_name()
    collection, before = deployment.target(SHAPE, name), deployment.image()

    told = restored(servers, environment, tmp_path, {"snapshot": BY_NAME, "target": name})

    assert told.status == "COMPLETED", told.message
    proof = deployment.prove(written, before, collection)
    assert proof.differences == []
    assert servers.temporal.served > 0


@pytest.mark.parametrize(
    ("variable", "says"),
    [("AWS_CA_BUNDLE", "AWS_CA_BUNDLE"), ("RESTORE_ETCD_CA", "certificate")],
    ids=["S3", "etcd"],
)
def test_a_store_with_a_strangers_certificate_is_not_spoken_to(
    servers: Guarded, environment: dict[str, str], tmp_path: Path, variable: str, says: str
) -> None:
    misled = {**environment, variable: str(servers.certificates / "other.crt")}

    told = restored(servers, misled, tmp_path, {"snapshot": BY_NAME, "target": "never"})

    assert (told.status, told.type) == ("FAILED", "AccessDenied")
    assert says in told.message


@pytest.mark.parametrize(
    "wrong",
    [
        {"TEMPORAL_TLS_SERVER_CA_CERT_PATH": "other.crt"},
        {"TEMPORAL_TLS_CLIENT_CERT_PATH": "other.crt", "TEMPORAL_TLS_CLIENT_KEY_PATH": "other.key"},
    ],
    ids=["we do not trust it", "it does not trust us"],
)
def test_a_temporal_that_is_not_trusted_or_does_not_trust_ends_the_worker_and_says_so(
    servers: Guarded, environment: dict[str, str], tmp_path: Path, wrong: Mapping[str, str]
) -> None:
    misled = {name: str(servers.certificates / file) for name, file in wrong.items()}
    worker = WorkerProcess({**environment, **misled}, tmp_path / "worker.log")

    with pytest.raises(AssertionError, match="TEMPORAL_ADDRESS"):
        worker.start()

    assert worker.exit_code == 4
    assert_readable(worker.log.read_text())


def restored(servers: Guarded, environment: dict[str, str], folder: Path, request: object) -> Told:
    """Ask a worker of this environment for a restore."""
    queue = new_queue()
    commands = Commands(servers.temporal.address, queue, folder)
    commands.environment |= servers.tls_to_temporal
    with working({**environment, "RESTORE_TASK_QUEUE": queue}, folder / "worker.log"):
        return commands.execute(request)
