"""How a restore holds its source: a pin in the snapshot's record, renewed while the restore runs."""

import hashlib

from formats.model import Model
from restore.request import RestoreRequest

HOLD_SECONDS = 86_400
"""How long a pin outlives a restore that was killed, as Milvus's own restores have it (section 4.6)."""

RENEW_SECONDS = HOLD_SECONDS // 4
"""Between two renewals: three may fail before the pin expires."""


def pin_number(endpoint: str, folder: str) -> int:
    """Return the pin of the restore whose plan lies in this folder of this store.

    Derived, so that a rollback by hand finds it; 62 bits, since Milvus's pins are positive and of 63.
    """
    digest = hashlib.sha256(f"{endpoint}\n{folder}".encode()).digest()
    return (int.from_bytes(digest[:8]) >> 2) + 1


class PinOrder(Model):
    """Hold the source of a request for this restore."""

    request: RestoreRequest
    job_id: str


class SourcePin(Model):
    """A pin that is held: for whom, the catalog's profile, the snapshot's record, the pin's id as text."""

    job_id: str

    profile: str
    record: str
    pin_id: str
