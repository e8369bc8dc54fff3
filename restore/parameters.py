"""Key-value parameters by their meaning: spelling, order and spaces make no difference."""

import json
from collections.abc import Iterable

from formats.proto.common_pb2 import KeyValuePair
from formats.proto.index_pb2 import IndexInfo

_TYPE_KEYS = frozenset({"dim", "max_length", "max_capacity", "enable_match"})
_TYPE_FAMILIES = ("analyzer", "tokenizer")
_SERVING = frozenset({"mmap.enabled", "mmap_enabled", "offset_cache.enabled", "indexoffsetcache.enabled"})
_NESTED = "params"


def texts(pairs: Iterable[KeyValuePair]) -> dict[str, str]:
    """Return the pairs as they are; the last one of a key counts."""
    return {pair.key: pair.value for pair in pairs}


def type_parameters(pairs: Iterable[KeyValuePair]) -> dict[str, str]:
    """Return the type parameters that decide what stored values mean: sizes, analyzers, text match."""
    return {pair.key: meaning(pair.value) for pair in pairs if _is_of_type(pair.key)}


def index_parameters(index: IndexInfo) -> dict[str, str]:
    """Return index_type, metric_type and build parameters; those nested as JSON in `params` are unfolded.

    Parameters that only steer serving (mmap, caches) are left out.
    """
    flat: dict[str, str] = {}
    for pair in index.index_params:
        if pair.key == _NESTED:
            flat |= _unfolded(pair.value)
        else:
            flat[pair.key] = meaning(pair.value)
    return {key: value for key, value in flat.items() if key.lower() not in _SERVING}


def meaning(value: str) -> str:
    """Return one text for all JSON spellings of a value; a text that is no JSON stays as it is."""
    try:
        parsed = json.loads(value.lower() if value in ("True", "False") else value)
    except (ValueError, RecursionError):
        return value
    return parsed if isinstance(parsed, str) else json.dumps(parsed, sort_keys=True, ensure_ascii=False)


def _is_of_type(key: str) -> bool:
    return key in _TYPE_KEYS or any(family in key for family in _TYPE_FAMILIES)


def _unfolded(text: str) -> dict[str, str]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        members = text
    if not isinstance(members, dict):
        return {_NESTED: meaning(text)} if text.strip() else {}
    return {
        name: meaning(value if isinstance(value, str) else json.dumps(value))
        for name, value in members.items()
    }
