"""A worker led by a settings file with two profiles: from one deployment to another, and back."""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from samples.shape import SampleShape
from samples.snapshot import WrittenSample
from tests.e2e.commands import Commands
from tests.e2e.deployment import Deployment, deployed
from tests.e2e.site import Site, new_queue
from tests.e2e.worker_process import working


def profile(name: str, deployment: Deployment) -> str:
    """The tables of a profile that leads to a deployment."""
    settings = deployment.settings
    return f"""
[profiles.{name}.s3]
endpoint = "{settings["RESTORE_S3_ENDPOINT"]}"
bucket = "{deployment.bucket}"
root_path = "{deployment.root}"
access_key_env = "THE_KEY"
secret_key_env = "THE_SECRET"

[profiles.{name}.etcd]
endpoints = ["{settings["RESTORE_ETCD_ENDPOINTS"]}"]
root_path = "{deployment.etcd_root}"
meta_sub_path = "{deployment.sub_path}"
"""


@pytest.fixture(scope="module")
def primary(servers: dict[str, str]) -> Iterator[Deployment]:
    with deployed(servers, root="files") as deployment:
        yield deployment


@pytest.fixture(scope="module")
def backup(servers: dict[str, str]) -> Iterator[Deployment]:
    """Another bucket, with another root path and other roots in etcd."""
    with deployed(servers, root="cold/store", sub_path="records") as deployment:
        yield deployment


@pytest.fixture(scope="module")
def sites(
    primary: Deployment,
    backup: Deployment,
    servers: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, Site]]:
    """Both deployments, with one worker that knows them by its file; what it has by its environment wins."""
    folder = tmp_path_factory.mktemp("profiles")
    queue, file = new_queue(), folder / "restore.toml"
    file.write_text(f'task_queue = "{queue}"\n{_overruled(primary)}{profile("backup", backup)}')
    environment = {
        "RESTORE_CONFIG": str(file),
        "TEMPORAL_ADDRESS": servers["TEMPORAL_ADDRESS"],
        "RESTORE_ETCD_ROOT_PATH": primary.etcd_root,
        "THE_KEY": servers["AWS_ACCESS_KEY_ID"],
        "THE_SECRET": servers["AWS_SECRET_ACCESS_KEY"],
    }
    commands = Commands(servers["TEMPORAL_ADDRESS"], queue, folder)
    with working(environment, folder / "worker.log") as worker:
        yield {
            name: Site(deployment, commands, worker, environment)
            for name, deployment in {"default": primary, "backup": backup}.items()
        }


def _overruled(primary: Deployment) -> str:
    """The default profile with a root in etcd where nothing is."""
    return profile("default", primary).replace(primary.etcd_root, f"nothing-{secrets.token_hex(4)}")


def sample(at: Deployment, name: str) -> WrittenSample:
    return at.sample(SampleShape(name=name, segments=2, partitions=2, megabytes=0.6, root=at.root))


@pytest.mark.parametrize(("source", "destination"), [("backup", "default"), ("default", "backup")])
def test_a_snapshot_goes_from_one_profile_to_another(
    sites: Mapping[str, Site], source: str, destination: str
) -> None:
    written = sample(sites[source].deployment, f"from_{source}")
    target = sites[destination].target(written.shape)
    untouched = sites[source].deployment.image()
    request: dict[str, Any] = {"source": source, "destination": destination, "target": target.name}

    told = sites[destination].commands.execute({**request, "snapshot": written.key})

    assert told.status == "COMPLETED", told.message
    assert told.result
    root = sites[destination].deployment.root
    bucket = sites[destination].deployment.bucket
    assert told.result["certificate"].startswith(f"s3://{bucket}/{root}/restores/")
    sites[destination].assert_proved(written, target)
    assert untouched.changes(sites[source].deployment.image()) == set()


def test_our_command_finds_the_task_queue_in_the_file_and_the_snapshot_by_name(
    sites: Mapping[str, Site], backup: Deployment
) -> None:
    at = sites["backup"]
    shape = SampleShape(
        name="named",
        segments=1,
        megabytes=0.3,
        root=backup.root,
        collection_id=SampleShape().collection_id + 10**6,
    )
    written = backup.sample(shape)
    target = at.target(shape)
    more = {"RESTORE_CONFIG": at.environment["RESTORE_CONFIG"], "RESTORE_TASK_QUEUE": ""}
    profiles = ("--source", "backup", "--destination", "backup")

    done = at.commands.restore("start", "named/nightly", target.name, *profiles, more=more)

    assert done.code == 0, done.err
    at.assert_proved(written, target)
