"""YAML of what our commands print: mappings, lists and scalars, every text in JSON's quotes."""

import json
from collections.abc import Iterator, Mapping, Sequence

_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
"""What YAML 1.1 takes for something else than text."""


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
        yield json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    plain = name.isascii() and name.isidentifier() and name.lower() not in _WORDS
    return name if plain else json.dumps(name)


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
