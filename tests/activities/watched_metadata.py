"""A metadata store in which something happens just before, or after, the next write."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from stores.packing import commit_packed
from stores.ports import Guard, MetadataStore, Record, Transaction

Happening = Callable[[], object]


class WatchedMetadata:
    """Another store, but for one happening before and one after the next commit; each happens once."""

    def __init__(
        self,
        inner: MetadataStore,
        *,
        before_commit: Happening | None = None,
        after_commit: Happening | None = None,
    ) -> None:
        self.profile = inner.profile
        self._inner = inner
        self._before = before_commit
        self._after = after_commit

    def check(self) -> None:
        """Return when the store answers."""
        self._inner.check()

    def get(self, key: str) -> Record | None:
        """Return the record at a key, or None."""
        return self._inner.get(key)

    def scan(self, prefix: str, *, keys_only: bool = False) -> Iterator[Record]:
        """Yield the records below a prefix."""
        return self._inner.scan(prefix, keys_only=keys_only)

    def commit(self, transaction: Transaction) -> bool:
        """Apply a transaction between the two happenings."""
        before, self._before = self._before, None
        if before:
            before()
        done = self._inner.commit(transaction)
        after, self._after = self._after, None
        if after:
            after()
        return done

    def commit_all(self, guards: Sequence[Guard], puts: Iterable[tuple[str, bytes]]) -> int | None:
        """Put any number of records."""
        return commit_packed(self.commit, guards, puts)
