"""Users and TLS: who may, who may not, and what is said about it."""

import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from restore.errors import AccessDenied, InvalidRequest
from stores.etcd import Etcd3Client
from stores.metadata import EtcdMetadataStore
from stores.ports import Guard, Transaction
from tests.stores.authority import certify
from tests.stores.etcd_server import EtcdServer, enable_users, eventually, running

TOKEN_DELETED = "deleted a simple token"  # in etcd's log


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EtcdServer]:
    """An etcd whose tokens live one second."""
    with running(EtcdServer(tmp_path, "--auth-token-ttl", "1")) as started:
        yield started


@pytest.fixture
def connect() -> Iterator[Callable[..., EtcdMetadataStore]]:
    opened: list[EtcdMetadataStore] = []

    def connected(server: EtcdServer, scheme: str = "http", **identity: Any) -> EtcdMetadataStore:
        opened.append(EtcdMetadataStore.connect("default", [f"{scheme}://{server.address}"], **identity))
        return opened[-1]

    yield connected
    for store in opened:
        store.close()


Connect = Callable[..., EtcdMetadataStore]


@contextmanager
def token_expires_after(server: EtcdServer) -> Iterator[None]:
    """What is done inside needs a token, which is gone afterwards."""
    before = server.logged(TOKEN_DELETED)
    yield
    eventually(lambda: server.logged(TOKEN_DELETED) > before, "the token expires")


def value(store: EtcdMetadataStore, key: str) -> bytes | None:
    record = store.get(key)
    return record.value if record else None


def test_a_user_without_tls_reads_and_writes(server: EtcdServer, connect: Connect) -> None:
    enable_users(server)
    store = connect(server, user="root", password="root-secret")
    store.check()
    assert store.commit(Transaction([Guard("a", 0)], {"a": b"1"}))
    assert [each.key for each in store.scan("a")] == ["a"]


def test_an_expired_token_is_renewed(server: EtcdServer, connect: Connect) -> None:
    enable_users(server)
    store = connect(server, user="root", password="root-secret")
    for number in range(2):
        with token_expires_after(server):
            assert store.commit(Transaction([Guard(f"k{number}", 0)], {f"k{number}": b""}))
    assert [each.key for each in store.scan("k")] == ["k0", "k1"]


def test_a_token_that_a_restart_forgot_is_renewed_by_all_threads(
    server: EtcdServer, connect: Connect
) -> None:
    enable_users(server)
    store = connect(server, user="root", password="root-secret")
    store.check()
    server.kill()
    server.start()
    with ThreadPoolExecutor(8) as pool:
        done = list(
            pool.map(lambda n: store.commit(Transaction([Guard(f"k{n}", 0)], {f"k{n}": b""})), range(8))
        )
    assert done == [True] * 8


def test_a_watch_outlives_its_token(server: EtcdServer) -> None:
    enable_users(server)
    with Etcd3Client([server.address], user="root", password="root-secret") as client:
        with token_expires_after(server):
            events, cancel = client.watch("a")
        again, cancel_again = client.watch("a")
        client.put("a", "1")
        assert next(events) == next(again)
        cancel()
        cancel_again()


def test_a_user_where_nobody_asks_for_one_is_let_in(server: EtcdServer, connect: Connect) -> None:
    store = connect(server, user="root", password="root-secret")
    assert store.commit(Transaction(puts={"a": b"1"}))
    enable_users(server)  # from now on the empty token is not enough
    assert value(store, "a") == b"1"


@pytest.mark.parametrize(
    "identity",
    [
        {},
        {"user": "root", "password": "wr0ng"},
        {"user": "nobody", "password": "wr0ng"},
    ],
    ids=["no user", "wrong password", "unknown user"],
)
def test_who_is_not_known_is_refused_by_name_and_without_the_password(
    server: EtcdServer, connect: Connect, identity: dict[str, str]
) -> None:
    enable_users(server)
    store = connect(server, **identity)
    refused: list[Callable[[], object]] = [
        store.check,
        lambda: store.get("a"),
        lambda: list(store.scan("a")),
        lambda: store.commit(Transaction(puts={"a": b""})),
    ]
    for call in refused:
        with pytest.raises(AccessDenied, match=rf"{server.address} \(profile 'default'") as error:
            call()
        assert "wr0ng" not in "".join(traceback.format_exception(error.value))
    assert f"user '{identity.get('user')}'" in str(error.value) or not identity


def test_a_limited_user_is_refused_elsewhere_with_call_and_key(server: EtcdServer, connect: Connect) -> None:
    enable_users(server)
    store = connect(server, user="limited", password="limited-secret")
    store.check()
    assert store.commit(Transaction([Guard("mine/a", 0)], {"mine/a": b"1"}))
    assert [each.key for each in store.scan("mine/")] == ["mine/a"]
    with pytest.raises(AccessDenied, match=r"Range of 'theirs/a'.*user 'limited'.*permission denied"):
        store.get("theirs/a")
    with pytest.raises(AccessDenied, match="Txn of 'theirs/a'"):
        store.commit(Transaction(puts={"theirs/a": b""}))
    with pytest.raises(AccessDenied, match="Range of 'theirs/'"):
        list(store.scan("theirs/"))


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    certify(folder)
    return folder


def tls_server(folder: Path, certificates: Path, *flags: str) -> EtcdServer:
    ca, cert, key = (str(certificates / name) for name in ("ca.crt", "server.crt", "server.key"))
    return EtcdServer(
        folder,
        *("--cert-file", cert, "--key-file", key, *flags),
        scheme="https",
        ctl=("--cacert", ca, "--cert", cert, "--key", key),
    )


def test_tls_with_its_authority_works_and_without_it_is_explained(
    tmp_path: Path, certificates: Path, connect: Connect
) -> None:
    with running(tls_server(tmp_path, certificates)) as server:
        for scheme in ("https", "http"):
            trusting = EtcdMetadataStore.connect(
                "default",
                [server.address if scheme == "http" else f"https://{server.address}"],
                ca=certificates / "ca.crt",
            )
            trusting.check()
            assert trusting.commit(Transaction([Guard(scheme, 0)], {scheme: b""}))
            trusting.close()
        strangers = connect(server, "https", ca=certificates / "other.crt")
        with pytest.raises(AccessDenied, match=r"(?i)cannot be reached at .*certificate"):
            strangers.check()
        with pytest.raises(AccessDenied, match=r"cannot be reached at .*RESTORE_ETCD_ENDPOINTS"):
            connect(server).check()


def test_a_user_with_tls_renews_its_token(tmp_path: Path, certificates: Path, connect: Connect) -> None:
    with running(tls_server(tmp_path, certificates, "--auth-token-ttl", "1")) as server:
        enable_users(server)
        store = connect(server, "https", ca=certificates / "ca.crt", user="root", password="root-secret")
        with token_expires_after(server):
            store.check()
        assert store.commit(Transaction([Guard("a", 0)], {"a": b"1"}))


def test_a_client_certificate_is_asked_for_and_given(
    tmp_path: Path, certificates: Path, connect: Connect
) -> None:
    ca = certificates / "ca.crt"
    flags = ("--client-cert-auth", "--trusted-ca-file", str(ca))
    with running(tls_server(tmp_path, certificates, *flags)) as server:
        known = connect(
            server, "https", ca=ca, cert=certificates / "client.crt", key=certificates / "client.key"
        )
        known.check()
        assert known.commit(Transaction([Guard("a", 0)], {"a": b"1"}))
        with pytest.raises(AccessDenied, match="cannot be reached"):
            connect(server, "https", ca=ca).check()


@pytest.mark.parametrize(
    ("endpoints", "shown"),
    [
        (["localhost"], "localhost"),
        (["ftp://localhost:2379"], "ftp://localhost:2379"),
        (["http://me:s3cret@localhost:2379"], "localhost:2379"),
        (["localhost:0"], "localhost:0"),
        (["localhost:2379", "localhost:99999"], "localhost:99999"),
        ([], "no etcd endpoint"),
    ],
)
def test_a_malformed_endpoint_is_shown_without_what_may_be_a_secret(endpoints: list[str], shown: str) -> None:
    with pytest.raises(InvalidRequest, match=shown) as error:
        EtcdMetadataStore.connect("default", endpoints)
    assert "s3cret" not in str(error.value)


def test_certificate_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"absent\.crt"):
        EtcdMetadataStore.connect("default", ["localhost:1"], ca=tmp_path / "absent.crt")
    with pytest.raises(InvalidRequest, match="both or neither"):
        EtcdMetadataStore.connect("default", ["localhost:1"], cert=tmp_path / "client.crt")
