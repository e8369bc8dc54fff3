"""What goes wrong, and when: described, so that it can be printed and drawn anew from a seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from tests.faults.steps import Server, Step, server_of

Kind = Literal[
    "cut",  # the connection breaks before the request takes effect
    "lost",  # it breaks after that: the answer is lost
    "busy",  # so many requests are answered 503 SlowDown, or UNAVAILABLE by etcd
    "slow",  # so many requests are held up for a while
    "denied",  # from now on this step is answered 403 AccessDenied, or PERMISSION_DENIED by etcd
    "kill",  # the worker gets SIGKILL
    "term",  # the worker gets SIGTERM
    "freeze",  # the worker gets SIGSTOP, another one goes on, and later SIGCONT
    "cancel",  # somebody cancels the restore
    "temporal",  # Temporal gets SIGKILL, and is started again on its ports and data
    "etcd",  # so does etcd
    "s3",  # so does the S3 server
    "servers",  # so do all three, one after the other
    "storm",  # 30 % of all requests are refused, and of 5 % the answers are lost
    "stale",  # listings show the bucket as it was up to a second ago
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

THROUGHOUT: Final[tuple[Kind, ...]] = ("storm", "stale")
"""These have no moment."""

OF_PROCESSES: Final[tuple[Kind, ...]] = ("kill", "term", "freeze")

OF_SERVERS: Final[Mapping[Kind, tuple[Server, ...]]] = {
    "temporal": ("temporal",),
    "etcd": ("etcd",),
    "s3": ("s3",),
    "servers": ("s3", "etcd", "temporal"),
}
"""Which servers they kill, in this order."""

NETWORK: Final[tuple[Kind, ...]] = ("cut", "lost", "busy", "slow")


@dataclass(frozen=True)
class Fault:
    """A fault at the n-th request of a step, counted from 1; `late`: after the request took effect.

    `amount` is the number of requests that are refused or held up, or the seconds of a freeze
    or of a server's absence.
    """

    kind: Kind
    step: Step = "copy"
    number: int = 1
    late: bool = False
    amount: int = 1

    def __str__(self) -> str:
        if self.kind in THROUGHOUT:
            return self.kind
        late = self.kind == "lost" or (self.late and self.kind not in (*NETWORK, "denied"))
        when = "after" if late else "at"
        if self.kind in OF_SERVERS:
            return f"no {self.kind} for {self.amount} s {when} {self.step} {self.number}"
        amount = f" x{self.amount}" if self.amount > 1 else ""
        return f"{self.kind}{amount} {when} {self.step} {self.number}"

    @property
    def servers(self) -> tuple[Server, ...]:
        """Which servers it kills."""
        return OF_SERVERS.get(self.kind, ())

    @property
    def cuts(self) -> bool:
        """True when who asks or who is asked is gone after it, so that there is no answer."""
        return self.kind in ("kill", "freeze") or server_of(self.step) in self.servers

    def strikes(self, step: Step, number: int) -> bool:
        """True for the request at which it begins."""
        return self.kind not in THROUGHOUT and (self.step, self.number) == (step, number)

    def covers(self, step: Step, number: int) -> bool:
        """True for every request that it touches."""
        if step != self.step or number < self.number:
            return False
        return self.kind == "denied" or number < self.number + (
            self.amount if self.kind in ("busy", "slow") else 1
        )
