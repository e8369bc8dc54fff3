"""The rights that docs/security.md says are enough, read from it."""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).parents[2] / "docs" / "security.md"


@dataclass(frozen=True)
class Grant:
    """A key of etcd, or a prefix that ends in '/', and what may be done there."""

    what: str
    where: str

    def covers(self, key: str) -> bool:
        return key.startswith(self.where) if self.where.endswith("/") else key == self.where


def policy(*, source: tuple[str, str], target: tuple[str, str]) -> dict[str, Any]:
    """The page's IAM policy for a source and a target, each a bucket and a root path."""
    (text,) = _blocks("json")
    names = {"SOURCE-BUCKET": source[0], "SOURCE-ROOT": source[1], "TARGET-BUCKET": target[0]}
    for name, value in {**names, "TARGET-ROOT": target[1]}.items():
        assert name in text
        text = text.replace(name, value)
    content: dict[str, Any] = json.loads(text)
    return content


def role(user: str, password: str, root: str) -> list[list[str]]:
    """The words of the page's etcdctl commands, for a user of this name and Milvus's root path."""
    (text,) = _blocks("sh")
    text = text.replace("by-dev/", f"{root}/").replace("PASSWORD", password)
    text = text.replace(" milvus-restore", f" {user}")
    return [shlex.split(line)[1:] for line in text.splitlines() if line.startswith("etcdctl ")]


def grants(root: str) -> list[Grant]:
    """What the role may do."""
    lines = [words for words in role("who", "", root) if words[:2] == ["role", "grant-permission"]]
    return [Grant(words[-2], words[-1]) for words in lines]


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
