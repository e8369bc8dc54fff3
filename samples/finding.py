"""One line of a proof, and what it found wrong."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was checked, how many were expected and found right, and each difference as a sentence."""

    what: str
    expected: int
    found: int
    differences: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when the numbers agree and nothing differs."""
        return self.expected == self.found and not self.differences


def faultless(what: str, expected: int, faults: Iterable[str]) -> Finding:
    """A finding about `expected` things of which each fault spoils one."""
    differences = tuple(faults)
    return Finding(what, expected, expected - len(differences), differences)


def absent(what: str, intruders: Iterable[str]) -> Finding:
    """A finding that nothing of a kind is there, or what is."""
    differences = tuple(intruders)
    return Finding(what, 0, len(differences), differences)
