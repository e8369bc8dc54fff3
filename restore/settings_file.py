"""The settings' TOML file: read, and every name in it known, before any value is looked at."""

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from formats.errors import InvalidRequest
from restore.profiles import EtcdSettings, MilvusSettings, S3Settings, Secretive

TABLES: Final[Mapping[str, type[Secretive]]] = {
    "s3": S3Settings,
    "etcd": EtcdSettings,
    "milvus": MilvusSettings,
}


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What the file says, as it says it; an absent file says nothing."""

    path: Path | None = None
    content: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def where(self, table: str) -> str:
        """Say where a table's settings stand, for errors."""
        return f"{self.path}: {table}" if self.path else f"the settings of {table}"

    def top_level(self) -> dict[str, Any]:
        """Return the settings that belong to no profile."""
        return {key: value for key, value in self.content.items() if key != "profiles"}

    def profiles(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the profiles' tables by name."""
        profiles: Mapping[str, Mapping[str, Any]] = self.content.get("profiles", {})
        return profiles

    def table(self, profile: str, name: str) -> dict[str, Any]:
        """Return `[profiles.<profile>.<name>]`, empty where the file has none."""
        return dict(self.profiles().get(profile, {}).get(name, {}))


def read_file(path: Path) -> SettingsFile:
    """Return the file's settings; InvalidRequest when it is unreadable, no TOML, or has an unknown key."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidRequest(f"the settings file {path} cannot be read: {error.strerror}") from error
    except ValueError as error:  # no UTF-8, or no TOML: both say where
        raise InvalidRequest(f"the settings file {path} is no TOML: {error}") from error
    file = SettingsFile(path, content)
    _check_names(file)
    return file


def _check_names(file: SettingsFile) -> None:
    _check_keys(file.where("the top level"), file.content, ["task_queue", "log_format", "profiles"])
    _check_keys(file.where("[profiles]"), file.profiles(), None)
    for name, tables in file.profiles().items():
        _check_keys(file.where(f"[profiles.{name}]"), tables, list(TABLES))
        for kind, table in tables.items():
            _check_keys(file.where(f"[profiles.{name}.{kind}]"), table, list(TABLES[kind].model_fields))


def _check_keys(where: str, table: object, known: Collection[str] | None) -> None:
    if not isinstance(table, dict):
        raise InvalidRequest(f"{where} is to be a table, found {type(table).__name__}")
    for key in table:
        if known is not None and key not in known:
            nearest = get_close_matches(key, known, 1, 0.5)
            hint = f"did you mean '{nearest[0]}'?" if nearest else f"known are {', '.join(known)}"
            raise InvalidRequest(f"{where} has no key '{key}'; {hint}")
