import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from formats.keys import MetaKeys
from restore.errors import InvalidRequest
from restore.profiles import EtcdSettings, Profile, S3Settings
from restore.settings import Settings
from starter.stack import Stack
from stores.clients import Clients

RACERS = 8


def clients(*profiles: Profile) -> Clients:
    return Clients(Settings(task_queue="q", profiles={each.name: each for each in profiles}))


@pytest.fixture
def real(stack: Stack, tmp_path: Path, bucket: str, etcd_root: str) -> Iterator[Clients]:
    """Two profiles of the local stack, of which `backup` has another root."""
    known = stack.settings()
    keys = {"access": tmp_path / "access", "secret": tmp_path / "secret"}
    keys["access"].write_text(known["AWS_ACCESS_KEY_ID"])
    keys["secret"].write_text(known["AWS_SECRET_ACCESS_KEY"])
    s3 = S3Settings(
        endpoint=known["RESTORE_S3_ENDPOINT"],
        bucket=bucket,
        access_key_file=keys["access"],
        secret_key_file=keys["secret"],
    )
    etcd = EtcdSettings(endpoints=(known["RESTORE_ETCD_ENDPOINTS"],), root_path=etcd_root)
    made = clients(
        Profile(name="default", s3=s3, etcd=etcd),
        Profile(name="backup", s3=s3.model_copy(update={"root_path": "old"}), etcd=etcd),
    )
    yield made
    made.close()


def test_a_profile_leads_to_its_stores(real: Clients, bucket: str) -> None:
    real.objects("default").check(bucket)
    real.metadata("default").check()
    assert (real.objects("backup").profile, real.metadata("backup").profile) == ("backup", "backup")


def test_profiles_of_one_server_can_copy_inside_it(real: Clients) -> None:
    assert real.objects("default").endpoint == real.objects("backup").endpoint


def test_keys_and_plans_lie_below_the_profiles_roots(real: Clients, etcd_root: str) -> None:
    assert real.keys("default") == MetaKeys(etcd_root, "meta")
    assert real.archive("default").folder(7) == "files/restores/7/"
    assert real.archive("backup").folder(7) == "old/restores/7/"


def test_racing_threads_share_one_connection(real: Clients) -> None:
    start = threading.Barrier(RACERS)

    def race(_: int) -> tuple[object, object, object]:
        start.wait()
        return real.objects("default"), real.metadata("default"), real.archive("default")

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(race, range(RACERS)))
    assert all(len({id(each) for each in kind}) == 1 for kind in zip(*answers, strict=True))


@pytest.mark.parametrize(
    "ask", [Clients.objects, Clients.metadata, Clients.archive, Clients.keys, Clients.profile]
)
def test_an_unknown_profile_is_an_invalid_request_that_lists_the_known(ask: object) -> None:
    made = clients(Profile(name="default"), Profile(name="backup"))
    with pytest.raises(InvalidRequest, match="no profile is named 'typo'; known are default, backup"):
        ask(made, "typo")  # type: ignore[operator]  # one of the methods above


def test_an_absent_secret_is_named_when_its_store_is_first_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BACKUP_KEY", raising=False)
    s3 = S3Settings(access_key_env="BACKUP_KEY", secret_key_file=tmp_path / "none")
    made = clients(
        Profile(name="default", s3=s3, etcd=EtcdSettings(user="root", password_file=tmp_path / "nope"))
    )
    with pytest.raises(InvalidRequest, match="BACKUP_KEY, which is to hold access_key, is not set"):
        made.objects("default")
    with pytest.raises(InvalidRequest, match="nope, which is to hold password, cannot be read"):
        made.metadata("default")


def test_an_endpoint_that_is_none_is_named_with_its_profile() -> None:
    made = clients(
        Profile(name="default", s3=S3Settings(endpoint="http://"), etcd=EtcdSettings(endpoints=("a b",)))
    )
    with pytest.raises(InvalidRequest, match="default"):
        made.objects("default")
    with pytest.raises(InvalidRequest, match="default"):
        made.metadata("default")


def test_closed_clients_have_no_threads_left(real: Clients, bucket: str) -> None:
    real.objects("default").check(bucket)
    pools = (real.copy_threads, real.list_threads, real.work_threads)
    threads = {pool.submit(threading.current_thread).result() for pool in pools}
    real.close()
    assert not any(thread.is_alive() for thread in threads)
    for pool in pools:
        with pytest.raises(RuntimeError, match="shutdown"):
            pool.submit(int)
