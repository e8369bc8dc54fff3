import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from temporalio.client import Client

from restore.profiles import EtcdSettings, Profile, S3Settings
from restore.settings import Settings
from samples.shape import SampleShape
from samples.snapshot import WrittenSample, write_sample
from starter import port
from starter.stack import Stack
from stores.metadata import EtcdMetadataStore
from stores.ports import ObjectStore
from stores.s3 import S3ObjectStore
from tests.activities.scene import Scene, SharedClients
from workflows.plugin import RestorePlugin

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHAPE = SampleShape(segments=2, l0_segments=1, partitions=2, megabytes=0.2, dim=4)
"""About a hundred objects: a segment of each layout of index paths, and deletes of all partitions."""


@pytest.fixture(scope="session")
async def temporal(temporal_address: str) -> Client:
    return await Client.connect(temporal_address, plugins=[RestorePlugin()])


@pytest.fixture(scope="session")
def written(s3_client: "S3Client") -> WrittenSample:
    """The source: in a bucket of its own, which nobody changes for longer than a test."""
    bucket = f"origin-{secrets.token_hex(6)}"
    s3_client.create_bucket(Bucket=bucket)
    return write_sample(s3_client, bucket, SHAPE)


@pytest.fixture(scope="session")
def s3_settings(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> S3Settings:
    """The way into the local stack's object store."""
    known, folder = stack.settings(), tmp_path_factory.mktemp("keys")
    (folder / "access").write_text(known["AWS_ACCESS_KEY_ID"])
    (folder / "secret").write_text(known["AWS_SECRET_ACCESS_KEY"])
    return S3Settings(
        endpoint=known["RESTORE_S3_ENDPOINT"],
        access_key_file=folder / "access",
        secret_key_file=folder / "secret",
    )


@pytest.fixture(scope="session")
def stores(s3_settings: S3Settings) -> Iterator[dict[str, ObjectStore]]:
    """One client for each profile, since making one takes longer than a test."""
    access, secret = (key.get_secret_value() for key in s3_settings.credentials() or ())
    made = {
        name: S3ObjectStore.connect(
            name,
            endpoint=s3_settings.endpoint,
            region=s3_settings.region,
            access_key=access,
            secret_key=secret,
        )
        for name in ("default", "origin")
    }
    yield dict(made)
    for each in made.values():
        each.close()


@pytest.fixture(scope="session")
def metadata(etcd_endpoint: str) -> Iterator[EtcdMetadataStore]:
    store = EtcdMetadataStore.connect("default", [etcd_endpoint])
    yield store
    store.close()


@pytest.fixture
def profiles(
    s3_settings: S3Settings, bucket: str, etcd_endpoint: str, etcd_root: str, written: WrittenSample
) -> dict[str, Profile]:
    """The destination as `default`, and the source, which has no etcd, as `origin`."""
    etcd = EtcdSettings(endpoints=(etcd_endpoint,), root_path=etcd_root)
    made = (
        Profile(name="default", s3=s3_settings.model_copy(update={"bucket": bucket}), etcd=etcd),
        Profile(name="origin", s3=s3_settings.model_copy(update={"bucket": written.bucket})),
    )
    return {each.name: each for each in made}


@pytest.fixture(scope="session")
def silent() -> Iterator[str]:
    """The `host:port` of somebody who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def troubles(profiles: dict[str, Profile], silent: str, tmp_path: Path) -> None:
    """Profiles that differ from `default` in one trouble each, which is their name."""
    usual = profiles["default"]
    closed = f"127.0.0.1:{port.pick(('closed',))['closed']}"
    (tmp_path / "wrong").write_text("wrong-key-0123456789")

    def s3(**changes: object) -> dict[str, object]:
        return {"s3": usual.s3.model_copy(update=changes)}

    def etcd(address: str) -> dict[str, object]:
        return {"etcd": usual.etcd.model_copy(update={"endpoints": (address,)})}

    for name, changes in {
        "no-bucket": s3(bucket="absent-bucket"),
        "wrong-keys": s3(secret_key_file=tmp_path / "wrong"),
        "closed": s3(endpoint=f"http://{closed}"),
        "silent": s3(endpoint=f"http://{silent}") | etcd(silent),
        "closed-etcd": etcd(closed),
        "silent-etcd": etcd(silent),
    }.items():
        profiles[name] = usual.model_copy(update={"name": name, **changes})


@pytest.fixture
def apart(profiles: dict[str, Profile]) -> None:
    """The source behind another endpoint: the same server by another name."""
    s3 = profiles["origin"].s3
    assert s3.endpoint
    renamed = s3.endpoint.replace("127.0.0.1", "localhost")
    assert renamed != s3.endpoint
    moved = s3.model_copy(update={"endpoint": renamed})
    profiles["origin"] = profiles["origin"].model_copy(update={"s3": moved})


@pytest.fixture
def clients(
    profiles: dict[str, Profile], stores: dict[str, ObjectStore], metadata: EtcdMetadataStore
) -> Iterator[SharedClients]:
    made = SharedClients(Settings(task_queue="none", profiles=profiles), dict(stores))
    made.metadata_stores["default"] = metadata
    yield made
    made.close()


@pytest.fixture
def scene(
    clients: SharedClients,
    s3_client: "S3Client",
    metadata: EtcdMetadataStore,
    written: WrittenSample,
    temporal: Client,
) -> Scene:
    return Scene(clients, s3_client, metadata, written, temporal)


@pytest.fixture
def small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every segment is a task of its own."""
    monkeypatch.setattr("activities.planning.CHUNK_OBJECTS", 1)
    monkeypatch.setattr("restore.tasks.CHUNK_OBJECTS", 1)
