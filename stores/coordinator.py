"""Finding the running coordinator that gives ids and times: it registers itself in etcd while it lives."""

import json
from dataclasses import dataclass

from formats.errors import UnsupportedFormat
from formats.keys import MetaKeys
from stores.ports import MetadataStore

ROLES = ("rootcoord", "mixcoord")
"""Newer clusters run all coordinators as one, which registers under its own name and the older ones."""


@dataclass(frozen=True, slots=True)
class Session:
    """A coordinator that is alive: the key it registered at, its `host:port`, and its version or ''."""

    key: str
    address: str
    version: str = ""


def running_coordinator(store: MetadataStore, keys: MetaKeys) -> Session | None:
    """Return the session of the active coordinator, or None while Milvus is down (its lease is over).

    UnsupportedFormat when the record is there but tells no address.
    """
    for role in ROLES:
        record = store.get(keys.session(role))
        if record is not None:
            return _session(record.key, record.value)
    return None


def _session(key: str, value: bytes) -> Session:
    try:
        told = json.loads(value)
    except ValueError:
        told = None
    session = told if isinstance(told, dict) else {}
    address, version = session.get("Address"), session.get("Version")
    if not isinstance(address, str) or not address:
        raise UnsupportedFormat(
            f"the coordinator's session at {key} holds {len(value)} bytes that tell no Address; check that "
            "the etcd root path is Milvus's and that its version is a known one"
        )
    return Session(key, address, version if isinstance(version, str) else "")
