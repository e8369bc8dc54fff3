"""Stores that cannot be reached: `check` says so within 6 s, other calls may be tried again."""

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from restore.errors import AccessDenied, InvalidRequest, StoreUnavailable
from stores.ports import Location
from stores.retry import Retry
from stores.s3 import S3ObjectStore
from stores.s3_connection import Access
from tests.stores.faulty_s3 import error, faulty
from tests.stores.object_worlds import S3World

NEVER_AGAIN = Retry(budget=0.0)
KEYS: dict[str, Any] = {"access_key": "key", "secret_key": "the-secret"}


@pytest.fixture
def silent() -> Iterator[str]:
    """The endpoint of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def closed() -> str:
    """An endpoint where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(params=["silent", "closed", "unknown host"])
def unreachable(request: pytest.FixtureRequest) -> str:
    if request.param == "unknown host":
        return "http://no-such-host.invalid:9000"
    return str(request.getfixturevalue(request.param))


def test_check_says_within_four_seconds_which_setting_to_look_at(unreachable: str) -> None:
    store = S3ObjectStore.connect("default", endpoint=unreachable, region="us-east-1", **KEYS)
    begun = time.monotonic()
    with pytest.raises(AccessDenied, match=r"cannot be reached at .*RESTORE_S3_ENDPOINT") as refused:
        store.check("a-bucket")
    assert time.monotonic() - begun < 8
    assert unreachable in str(refused.value)
    assert "the-secret" not in str(refused.value)
    store.close()


def test_check_says_why(closed: str) -> None:
    store = S3ObjectStore.connect("default", endpoint=closed, region="us-east-1", **KEYS)
    with pytest.raises(AccessDenied, match="Connection refused"):
        store.check("a-bucket")
    store.close()


def test_check_names_the_setting_of_another_profile(closed: str) -> None:
    store = S3ObjectStore.connect("backup", endpoint=closed, region="us-east-1", **KEYS)
    with pytest.raises(AccessDenied, match=r"endpoint in \[profiles.backup.s3\]"):
        store.check("a-bucket")
    store.close()


def test_check_takes_a_busy_store_for_busy(seaweedfs: S3World) -> None:
    with faulty(seaweedfs.access) as proxy:
        store = S3ObjectStore(proxy.access)
        proxy.fault = lambda request, server: error(503, "SlowDown")
        with pytest.raises(StoreUnavailable, match="SlowDown"):
            store.check(seaweedfs.bucket)
        answers = iter([error(503, "SlowDown"), None])
        proxy.fault = lambda request, server: next(answers, None) or server(request)
        store.check(seaweedfs.bucket)
        store.close()


def test_other_calls_may_be_tried_again(unreachable: str) -> None:
    access = Access("default", unreachable, "us-east-1", "key", "the-secret", read_timeout=0.3)
    store = S3ObjectStore(access, retry=NEVER_AGAIN)
    with pytest.raises(StoreUnavailable, match="GetObject of s3://a-bucket/k") as failed:
        store.get(Location("a-bucket", "k"))
    assert "the-secret" not in str(failed.value)
    store.close()


def test_a_store_without_any_credentials_says_so(
    seaweedfs_access: Access, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store = S3ObjectStore.connect("default", endpoint=seaweedfs_access.endpoint, region="us-east-1")
    for call in (lambda: store.check("a-bucket"), lambda: store.get(Location("a-bucket", "k"))):
        with pytest.raises(AccessDenied, match="no usable credentials: NoCredentialsError"):
            call()
    store.close()


def test_credentials_come_from_the_aws_chain(seaweedfs: S3World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", str(seaweedfs.access.access_key))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", str(seaweedfs.access.secret_key))
    store = S3ObjectStore.connect("default", endpoint=seaweedfs.access.endpoint, region="us-east-1")
    store.check(seaweedfs.bucket)
    store.put(seaweedfs.at("k"), b"1")
    assert seaweedfs.content() == {str(seaweedfs.at("k")): b"1"}
    store.close()


def test_an_endpoint_that_is_no_url_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest, match="RESTORE_S3_ENDPOINT"):
        S3ObjectStore.connect("default", endpoint="localhost:9000", region="us-east-1", **KEYS)


def test_without_an_endpoint_it_is_aws() -> None:
    store = S3ObjectStore.connect("default", endpoint=None, region="eu-central-1", **KEYS)
    assert store.endpoint == "https://s3.eu-central-1.amazonaws.com"
    store.close()


def test_no_secret_shows_in_the_access() -> None:
    access = Access("default", None, "us-east-1", "key-id", "the-secret", "the-token")
    assert "the-secret" not in repr(access)
    assert "the-token" not in repr(replace(access, profile="other"))
