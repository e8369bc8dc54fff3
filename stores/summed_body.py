"""A stream of bytes that is hashed on its way, and whose first bytes may become others."""

import hashlib
from typing import Protocol

from stores.ports import Edit


class Readable(Protocol):
    """What bytes come from."""

    def read(self, amount: int | None = None, /) -> bytes:
        """Return the next bytes, none at the end."""


class Sums:
    """The running hashes of some bytes so far."""

    def __init__(self) -> None:
        self.md5 = hashlib.md5(usedforsecurity=False)
        self.sha256 = hashlib.sha256()

    def update(self, chunk: bytes) -> None:
        """Go on with these bytes."""
        self.md5.update(chunk)
        self.sha256.update(chunk)

    def copy(self) -> "Sums":
        """Return hashes that go on from here, so that a part can be read a second time."""
        twin = Sums()
        twin.md5, twin.sha256 = self.md5.copy(), self.sha256.copy()
        return twin


class Passage:
    """The hashes of what was read and of what became of it, which are the same where nothing is edited."""

    def __init__(self, read: Sums, sent: Sums) -> None:
        self.read, self.sent = read, sent

    @classmethod
    def begin(cls, *, edited: bool) -> "Passage":
        """Return the hashes of no bytes."""
        read = Sums()
        return cls(read, Sums() if edited else read)

    def copy(self) -> "Passage":
        """Return hashes that go on from here."""
        read = self.read.copy()
        return Passage(read, read if self.sent is self.read else self.sent.copy())

    def update(self, chunk: bytes, became: bytes) -> None:
        """Go on with these bytes and what became of them."""
        self.read.update(chunk)
        if self.sent is not self.read:
            self.sent.update(became)


class SummedBody:
    """A request's body that is read from an answer's and hashed on its way; `part` is the MD5 of it alone."""

    def __init__(self, stream: Readable, sums: Passage) -> None:
        self._stream = stream
        self._head = b""
        self.sums = sums
        self.part = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def edit(self, edit: Edit) -> None:
        """Have other first bytes; to be called before anything is read. Raises what the edit raises."""
        head = b""
        while len(head) < edit.length and (chunk := self._stream.read(edit.length - len(head))):
            head += chunk
        self._head = edit(head)
        if len(self._head) != len(head):
            raise ValueError(f"an edit made {len(self._head)} bytes of {len(head)}")
        self.sums.update(head, self._head)

    def read(self, amount: int | None = None) -> bytes:
        """Return the next bytes, none at the end; the answer's stream raises when it ends early."""
        if self._head:
            cut = len(self._head) if amount is None or amount < 0 else amount
            chunk, self._head = self._head[:cut], self._head[cut:]
        else:
            chunk = self._stream.read(amount)
            self.sums.update(chunk, chunk)
        self.part.update(chunk)
        self.size += len(chunk)
        return chunk
