"""What fits into one transaction of the metadata store: etcd's default limits, held by both twins."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from stores.ports import Guard, Transaction

MAX_OPERATIONS = 128
"""Of puts and deletes together, and as many guards (etcd's --max-txn-ops)."""

MAX_BYTES = 1536 * 1024
"""Of the whole request as etcd writes it to its log (etcd's --max-request-bytes)."""

# An upper bound of what encoding adds to an operation's key and value, and to the request itself.
_OPERATION_OVERHEAD = 24
_REQUEST_OVERHEAD = 512


def require_fits(transaction: Transaction) -> None:
    """Return when a store takes the transaction; ValueError when it is too large or contradicts itself."""
    operations = len(transaction.puts) + len(transaction.deletes)
    most = max(operations, len(transaction.guards))
    if most > MAX_OPERATIONS:
        raise ValueError(f"the transaction has {most} operations or guards, at most {MAX_OPERATIONS} fit")
    size = _size(transaction)
    if size > MAX_BYTES:
        raise ValueError(
            f"the transaction{_first_key(transaction)} has {size} bytes, at most {MAX_BYTES} fit"
        )
    for key in transaction.deletes:
        if key in transaction.puts:
            raise ValueError(f"the transaction both puts and deletes '{key}'")
    for guard in transaction.guards:
        require_key(guard.key)
    for key in (*transaction.puts, *transaction.deletes):
        require_key(key)


def require_key(key: str) -> None:
    """Return when a key is not empty, else raise ValueError."""
    if not key:
        raise ValueError("the metadata store has no empty key")


def pack(guards: Sequence[Guard], puts: Iterable[tuple[str, bytes]]) -> Iterator[Transaction]:
    """Yield at least one transaction, each as full as the limits allow, with all guards in every one.

    Puts keep their order, also two of the same key. ValueError for a put of a guarded key, since the
    next transaction's guard would fail, and for a record that is too large for any transaction.
    """
    guarded = {guard.key for guard in guards}
    empty = _size(Transaction(guards))
    batch: dict[str, bytes] = {}
    size, first = empty, True
    for key, value in puts:
        if key in guarded:
            raise ValueError(f"'{key}' guards these writes, so it cannot be among them")
        added = _operation(key, value)
        if batch and (key in batch or len(batch) == MAX_OPERATIONS or size + added > MAX_BYTES):
            yield Transaction(guards, batch)
            batch, size, first = {}, empty, False
        batch[key] = value
        size += added
    if batch or first:
        yield Transaction(guards, batch)


def commit_packed(
    commit: Callable[[Transaction], bool], guards: Sequence[Guard], puts: Iterable[tuple[str, bytes]]
) -> int | None:
    """Commit what `pack` yields; return the number of records, or None as soon as a guard does not hold."""
    written = 0
    for transaction in pack(guards, puts):
        if not commit(transaction):
            return None
        written += len(transaction.puts)
    return written


def _size(transaction: Transaction) -> int:
    keys = [guard.key for guard in transaction.guards] + list(transaction.deletes)
    puts = sum(_operation(key, value) for key, value in transaction.puts.items())
    return _REQUEST_OVERHEAD + puts + sum(_operation(key) for key in keys)


def _operation(key: str, value: bytes = b"") -> int:
    return len(key.encode("utf-8", "surrogateescape")) + len(value) + _OPERATION_OVERHEAD


def _first_key(transaction: Transaction) -> str:
    key = next(iter(transaction.puts), "")
    return f" that puts '{key}'" if key else ""
