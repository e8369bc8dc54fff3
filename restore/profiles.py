"""Where a restore reads and writes: object storage, etcd and, optionally, Milvus's own API.

A secret is only ever named: by the environment variable or the file that holds it. It is read when
it is used, so no settings object, and hence no log, error or history, ever contains one.
"""

import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import NoDecode

from formats.errors import InvalidRequest
from formats.model import Model


def _listed(value: Any) -> Any:
    """Accept `a, b` for `["a", "b"]`."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _without_credentials(endpoint: str) -> str:
    if "@" in endpoint:
        raise ValueError("an endpoint carries no user name or password")
    return endpoint


def _with_scheme(endpoint: str) -> str:
    if not endpoint.startswith(("http://", "https://")):
        raise ValueError("an endpoint begins with http:// or https://")
    return endpoint


def _host_and_port(address: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or "/" in address or not port.isdigit():
        raise ValueError("an address reads host:port, without a scheme")
    return address


Endpoint = Annotated[str, AfterValidator(_without_credentials)]


class Secretive(Model):
    """Settings of which some are secrets, each named by `<secret>_env` or `<secret>_file`."""

    @classmethod
    def secrets(cls) -> list[str]:
        """Name the secrets of this table."""
        return [name.removesuffix("_env") for name in cls.model_fields if name.endswith("_env")]

    @model_validator(mode="after")
    def _each_named_once(self) -> Self:
        for secret in self.secrets():
            if getattr(self, f"{secret}_env") and getattr(self, f"{secret}_file"):
                raise ValueError(f"name either {secret}_env or {secret}_file, not both")
        return self

    def secret(self, name: str) -> SecretStr | None:
        """Return the secret, read now, or None where none is named.

        Raises InvalidRequest when the variable is not set or the file cannot be read.
        """
        if variable := getattr(self, f"{name}_env"):
            return SecretStr(_variable(name, variable))
        if path := getattr(self, f"{name}_file"):
            return SecretStr(_content(name, path))
        return None


def _variable(name: str, variable: str) -> str:
    if value := os.environ.get(variable):
        return value
    raise InvalidRequest(f"the environment variable {variable}, which is to hold {name}, is not set")


def _content(name: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InvalidRequest(f"the file {path}, which is to hold {name}, cannot be read: {reason}") from error


class S3Settings(Secretive):
    """An object store: bucket and root path are Milvus's. Without an endpoint it is AWS S3."""

    endpoint: Annotated[Endpoint, AfterValidator(_with_scheme)] | None = None
    region: str = "us-east-1"
    bucket: Annotated[str, Field(min_length=1)] = "a-bucket"
    root_path: Annotated[str, AfterValidator(lambda path: path.strip("/"))] = "files"
    access_key_env: str | None = None
    access_key_file: Path | None = None
    secret_key_env: str | None = None
    secret_key_file: Path | None = None

    @model_validator(mode="after")
    def _keys_come_in_pairs(self) -> Self:
        access, secret = (
            any(getattr(self, f"{key}_{how}") for how in ("env", "file"))
            for key in ("access_key", "secret_key")
        )
        if access != secret:
            raise ValueError("access_key and secret_key are named both or neither")
        return self

    def credentials(self) -> tuple[SecretStr, SecretStr] | None:
        """Return access key and secret key, or None where the AWS chain is to find them.

        Raises InvalidRequest when a named variable or file is not there.
        """
        access, secret = self.secret("access_key"), self.secret("secret_key")
        return (access, secret) if access and secret else None


class EtcdSettings(Secretive):
    """Milvus's etcd. Metadata lies below `{root_path}/{meta_sub_path}`."""

    endpoints: Annotated[tuple[Endpoint, ...], NoDecode, BeforeValidator(_listed), Field(min_length=1)] = (
        "localhost:2379",
    )
    root_path: Annotated[str, AfterValidator(lambda path: path.rstrip("/"))] = "by-dev"
    meta_sub_path: Annotated[str, AfterValidator(lambda path: path.strip("/"))] = "meta"
    user: str | None = None
    password_env: str | None = None
    password_file: Path | None = None
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key are given both or neither")
        return self

    def password(self) -> SecretStr | None:
        """Return the password of `user`, read now; InvalidRequest when its variable or file is not there."""
        return self.secret("password")


class MilvusSettings(Secretive):
    """Milvus's proxy, `host:port`; without an address the target must exist already.

    `management` is its management endpoint, through which its garbage collection is paused during a restore;
    `gc_tolerance` the seconds for which it leaves objects alone that it does not know.
    """

    address: Annotated[str, AfterValidator(_host_and_port)] | None = None
    management: Annotated[Endpoint, AfterValidator(_with_scheme)] | None = None
    gc_tolerance: Annotated[float, Field(gt=0)] | None = None
    token_env: str | None = None
    token_file: Path | None = None

    def token(self) -> SecretStr | None:
        """Return the token, read now; InvalidRequest when its variable or file is not there."""
        return self.secret("token")


class Profile(Model):
    """A Milvus deployment under the name that requests use."""

    name: str
    s3: S3Settings = S3Settings()
    etcd: EtcdSettings = EtcdSettings()
    milvus: MilvusSettings = MilvusSettings()
