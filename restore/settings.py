"""The settings of worker and command line: flag above environment above file above default.

    task_queue = "milvus-restore"             # or RESTORE_TASK_QUEUE
    log_format = "json"                       # or RESTORE_LOG_FORMAT; else text

    [profiles.default.s3]                     # or RESTORE_S3_ENDPOINT, RESTORE_S3_BUCKET, …
    endpoint = "http://localhost:9000"
    [profiles.backup.s3]                      # other profiles come from the file alone
    bucket = "backups"
    access_key_env = "BACKUP_ACCESS_KEY"      # the variable's name, never the key itself
    secret_key_file = "/run/secrets/backup"   # or a file's

The file is the one that RESTORE_CONFIG names (architecture, section 4).
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

from pydantic import BaseModel, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from formats.errors import InvalidRequest
from formats.model import Model
from restore.log_format import LogFormat
from restore.profiles import EtcdSettings, MilvusSettings, Profile, S3Settings, Secretive
from restore.settings_file import TABLES, SettingsFile, read_file

DEFAULT = "default"

M = TypeVar("M", bound=BaseModel)


class _SecretNamingSource(EnvSettingsSource):
    """The environment, where a variable that holds a secret counts as naming itself."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        table = self.settings_cls
        secrets: list[str] = table.secrets() if issubclass(table, Secretive) else []
        for secret in secrets:
            held, by_name, by_file = f"{self.env_prefix}{secret}".upper(), f"{secret}_env", f"{secret}_file"
            if os.environ.get(held):
                values |= {by_name: held, by_file: None}
            elif by_name in values or by_file in values:
                # The environment names the secret one way: a file naming it the other way is overruled.
                values = {by_name: None, by_file: None} | values
        return values


class _FromEnvironment(BaseSettings):
    """Variables of the environment lie above the values that are passed in, which are the file's."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the strongest first."""
        return _SecretNamingSource(settings_cls), init_settings


class _Process(_FromEnvironment):
    model_config = SettingsConfigDict(env_prefix="RESTORE_", env_ignore_empty=True)

    config: Path | None = None
    task_queue: str = Field("milvus-restore", min_length=1)
    log_format: LogFormat = "text"


class _DefaultS3(S3Settings, _FromEnvironment):
    model_config = SettingsConfigDict(env_prefix="RESTORE_S3_", env_ignore_empty=True)


class _DefaultEtcd(EtcdSettings, _FromEnvironment):
    model_config = SettingsConfigDict(env_prefix="RESTORE_ETCD_", env_ignore_empty=True)


class _DefaultMilvus(MilvusSettings, _FromEnvironment):
    model_config = SettingsConfigDict(env_prefix="RESTORE_MILVUS_", env_ignore_empty=True)


_DEFAULT_TABLES: Mapping[str, type[Secretive]] = {
    "s3": _DefaultS3,
    "etcd": _DefaultEtcd,
    "milvus": _DefaultMilvus,
}


class Settings(Model):
    """What a process needs to know besides the Temporal connection, which Temporal's SDK reads itself."""

    task_queue: str
    log_format: LogFormat = "text"
    profiles: Mapping[str, Profile]

    @classmethod
    def load(cls, *, config: Path | None = None, task_queue: str | None = None) -> Self:
        """Return the settings in force; what is passed in stands above environment and file.

        Raises InvalidRequest that names the file, table and key, or the variable, that is wrong.
        """
        path = config or _checked(_Process, {}, "the environment").config
        file = read_file(path) if path else SettingsFile()
        process = _checked(_Process, file.top_level(), file.where("the top level"))
        names = {DEFAULT, *file.profiles()}
        return cls(
            task_queue=task_queue or process.task_queue,
            log_format=process.log_format,
            profiles={name: _profile(file, name) for name in sorted(names)},
        )

    def profile(self, name: str) -> Profile:
        """Return the profile, or raise InvalidRequest that lists the known ones."""
        if name in self.profiles:
            return self.profiles[name]
        raise InvalidRequest(f"no profile is named '{name}'; known are {', '.join(self.profiles)}")


def _profile(file: SettingsFile, name: str) -> Profile:
    models = _DEFAULT_TABLES if name == DEFAULT else TABLES
    tables = {
        kind: _checked(model, file.table(name, kind), file.where(f"[profiles.{name}.{kind}]"))
        for kind, model in models.items()
    }
    # The default profile's models also know the environment; from here on only their values matter.
    return Profile.model_validate({"name": name} | {kind: each.model_dump() for kind, each in tables.items()})


def _checked(model: type[M], values: Mapping[str, Any], where: str) -> M:
    try:
        return model(**values)
    except ValidationError as error:
        raise InvalidRequest("; ".join(_complaints(error, model, where))) from None


def _complaints(error: ValidationError, model: type[BaseModel], where: str) -> list[str]:
    """Say where each wrong setting stands and what is expected; what was found may be a secret."""
    prefix = str(model.model_config.get("env_prefix", ""))
    complaints = []
    for each in error.errors(include_input=False, include_url=False, include_context=False):
        field = ".".join(map(str, each["loc"]))
        variable = f"{prefix}{each['loc'][0]}".upper() if prefix and each["loc"] else ""
        place = variable if os.environ.get(variable) else f"{where} {field}".strip()
        complaints.append(f"{place}: {each['msg'].removeprefix('Value error, ')}")
    return complaints
