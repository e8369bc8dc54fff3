"""A MetadataStore without a server: etcd's revisions and limits in a dictionary."""

import threading
from collections.abc import Iterable, Iterator, Sequence

from stores.packing import commit_packed, require_fits, require_key
from stores.ports import Guard, Record, Transaction


class MemoryMetadataStore:
    """The twin of EtcdMetadataStore; it never fails and never loses an answer."""

    def __init__(self, profile: str = "default") -> None:
        self.profile = profile
        self._records: dict[str, Record] = {}
        self._revision = 1
        self._lock = threading.Lock()

    def check(self) -> None:
        """Return: memory always answers."""

    def get(self, key: str) -> Record | None:
        """Return the record at a key, or None."""
        require_key(key)
        return self._records.get(key)

    def scan(self, prefix: str, *, keys_only: bool = False) -> Iterator[Record]:
        """Yield the records below a prefix in key order, as of one revision; no values for keys_only."""
        with self._lock:
            found = [record for key, record in self._records.items() if key.startswith(prefix)]
        found.sort(key=lambda record: record.key.encode("utf-8", "surrogateescape"))
        for each in found:
            value = b"" if keys_only else each.value
            yield Record(each.key, value, each.create_revision, each.mod_revision)

    def commit(self, transaction: Transaction) -> bool:
        """Apply a transaction of at most 128 operations and 1.5 MiB; False when a guard does not hold."""
        require_fits(transaction)
        with self._lock:
            if not all(map(self._holds, transaction.guards)):
                return False
            self._apply(transaction)
            return True

    def commit_all(self, guards: Sequence[Guard], puts: Iterable[tuple[str, bytes]]) -> int | None:
        """Put any number of records in as many guarded transactions as the limits ask for.

        Returns the number of records written, or None as soon as a guard does not hold.
        """
        return commit_packed(self.commit, guards, puts)

    def _holds(self, guard: Guard) -> bool:
        record = self._records.get(guard.key)
        return guard.mod_revision == (record.mod_revision if record else 0)

    def _apply(self, transaction: Transaction) -> None:
        removed = [key for key in transaction.deletes if self._records.pop(key, None)]
        if not transaction.puts and not removed:
            return  # a transaction that changes nothing makes no revision
        self._revision += 1
        for key, value in transaction.puts.items():
            before = self._records.get(key)
            created = before.create_revision if before else self._revision
            self._records[key] = Record(key, bytes(value), created, self._revision)
