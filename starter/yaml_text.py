"""YAML of what our commands print: mappings, lists and scalars, every text in JSON's quotes."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""What YAML 1.1 takes for something else than text."""

_UNPRINTABLE = re.compile(
    r"[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
"""What YAML takes only escaped: control characters, and what it holds for line breaks."""


def yaml_text(value: object) -> str:
    """Return the value as a YAML document; what JSON can hold comes back the same."""
    return "\n".join(_lines(value))


def _lines(value: object) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _entry(f"{_key(str(key))}:", inner)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for inner in value:
            yield from _item(inner)
    else:
        yield _scalar(value)


def _key(name: str) -> str:
    plain = name.isascii() and name.isidentifier() and name.lower() not in _WORDS
    return name if plain else _scalar(name)


def _scalar(value: object) -> str:
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _entry(head: str, inner: object) -> Iterator[str]:
    if isinstance(inner, str) or not isinstance(inner, Mapping | Sequence) or not inner:
        yield f"{head} {next(_lines(inner))}"
        return
    yield head
    yield from (f"  {line}" for line in _lines(inner))


def _item(inner: object) -> Iterator[str]:
    first, *others = _lines(inner)
    yield f"- {first}"
    yield from (f"  {line}" for line in others)
