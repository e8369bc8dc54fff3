"""The ways in which an object is damaged."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

Name = Literal["deleted", "truncated", "zeroed", "flipped", "swapped", "grown"]
Bodies = tuple[bytes | None, bytes]
"""What the object and its sibling hold afterwards; None when it is gone."""

FLIPS: Final = 6
"""Bytes of a file with a structure that are flipped, one at a time: it depends on the byte what is seen."""


def flipped(body: bytes, number: int) -> bytes:
    """The body with one bit of one byte changed, the FLIPS bytes being evenly apart."""
    at = (2 * number + 1) * len(body) // (2 * FLIPS)
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


DAMAGES: Final[Mapping[Name, Callable[[bytes, bytes], Bodies]]] = {
    "deleted": lambda body, sibling: (None, sibling),
    "truncated": lambda body, sibling: (body[: len(body) // 2], sibling),
    "zeroed": lambda body, sibling: (bytes(len(body)), sibling),
    "flipped": lambda body, sibling: (flipped(body, FLIPS // 2), sibling),
    "swapped": lambda body, sibling: (sibling, body),
    "grown": lambda body, sibling: (body + b"\0", sibling),
}
