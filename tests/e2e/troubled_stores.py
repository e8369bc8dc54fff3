"""Profiles that lead nowhere, or to a store that says no."""

import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starter.port import pick
from tests.stores.etcd_server import EtcdServer, enable_users, running

WRONG_SECRET: Final = "wrong-secret-key-that-nobody-may-see"
WRONG_PASSWORD: Final = "wrong-password-that-nobody-may-see"


_PROFILES: Final = """
[profiles.wrong-keys]
etcd = {{ endpoints = ["{etcd}"] }}
[profiles.wrong-keys.s3]
endpoint = "{s3}"
bucket = "{bucket}"
access_key_env = "WRONG_ACCESS_KEY"
secret_key_env = "WRONG_SECRET_KEY"

[profiles.closed-s3]
s3 = {{ endpoint = "http://{closed}", bucket = "{bucket}" }}
etcd = {{ endpoints = ["{etcd}"] }}

[profiles.silent-s3]
s3 = {{ endpoint = "http://{silent}", bucket = "{bucket}" }}
etcd = {{ endpoints = ["{etcd}"] }}

[profiles.nameless-s3]
s3 = {{ endpoint = "http://nowhere.invalid:9000", bucket = "{bucket}" }}
etcd = {{ endpoints = ["{etcd}"] }}

[profiles.no-bucket]
s3 = {{ endpoint = "{s3}", bucket = "no-such-bucket" }}
etcd = {{ endpoints = ["{etcd}"] }}

[profiles.closed-etcd]
s3 = {{ endpoint = "{s3}", bucket = "{bucket}" }}
etcd = {{ endpoints = "{closed}" }}

[profiles.silent-etcd]
s3 = {{ endpoint = "{s3}", bucket = "{bucket}" }}
etcd = {{ endpoints = ["{silent}"] }}

[profiles.wrong-password]
s3 = {{ endpoint = "{s3}", bucket = "{bucket}" }}
etcd = {{ endpoints = ["{guarded}"], user = "root", password_env = "WRONG_PASSWORD" }}
"""


@dataclass(frozen=True)
class TroubledStores:
    """The variables that make a worker know the profiles, and the addresses that errors must name."""

    environment: Mapping[str, str]
    closed: str
    silent: str
    guarded: str


@contextmanager
def troubled_stores(servers: Mapping[str, str], folder: Path) -> Iterator[TroubledStores]:
    """A port where nobody listens, one where nobody answers, and an etcd that asks for a password."""
    closed = f"127.0.0.1:{pick(('none',))['none']}"
    etcd = EtcdServer(folder)
    with socket.create_server(("127.0.0.1", 0)) as deaf, running(etcd):
        enable_users(etcd)
        silent = f"127.0.0.1:{deaf.getsockname()[1]}"
        file = folder / "profiles.toml"
        file.write_text(
            _PROFILES.format(
                s3=servers["RESTORE_S3_ENDPOINT"],
                bucket=servers["RESTORE_S3_BUCKET"],
                etcd=servers["RESTORE_ETCD_ENDPOINTS"],
                closed=closed,
                silent=silent,
                guarded=etcd.address,
            )
        )
        environment = {
            "RESTORE_CONFIG": str(file),
            "WRONG_ACCESS_KEY": "wrong-access-key",
            "WRONG_SECRET_KEY": WRONG_SECRET,
            "WRONG_PASSWORD": WRONG_PASSWORD,
        }
        yield TroubledStores(environment, closed, silent, etcd.address)
