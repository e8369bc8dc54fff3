"""Who owns a target: the value of the reservation key in etcd (architecture, decision 7).

The key's mod_revision is the fencing epoch: each change of state raises it, and every write of a
restore is guarded by the epoch it was given.
"""

from typing import Literal

from formats.model import Model

State = Literal["active", "publishing", "kept", "rolling_back"]


class Owner(Model):
    """The owner of a target; `since` is ISO 8601, UTC. `fingerprint` tells what is being restored."""

    job_id: str
    workflow_id: str
    state: State
    since: str
    fingerprint: str

    def encode(self) -> bytes:
        """The value as stored."""
        return self.model_dump_json().encode()

    @classmethod
    def decode(cls, value: bytes) -> "Owner":
        """The value as read."""
        return cls.model_validate_json(value)
