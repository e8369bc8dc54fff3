"""Milvus's etcd as a MetadataStore: what a lost answer left undecided is found out, errors are named."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from restore.errors import AccessDenied, InvalidRequest, RestoreError, StoreUnavailable
from stores.budget import Budget
from stores.etcd import Etcd3Client
from stores.etcd_channel import TXN
from stores.etcd_errors import (
    Etcd3Exception,
    InvalidRequestError,
    PermissionDeniedError,
    PreconditionFailedError,
    UnauthenticatedError,
)
from stores.etcd_transaction import decoded
from stores.packing import commit_packed, require_fits, require_key
from stores.ports import Guard, Record, Transaction
from stores.retry_metrics import count_retry

_REFUSALS = (InvalidRequestError, PermissionDeniedError, PreconditionFailedError, UnauthenticatedError)
_CHECK_SECONDS = 5.5
_PROBE = "health"


class EtcdMetadataStore:
    """A MetadataStore over an etcd client, whose calls are repeated within its patience."""

    def __init__(self, profile: str, client: Etcd3Client, endpoints: Sequence[str], user: str = "") -> None:
        self.profile = profile
        self._client = client
        self._endpoints = tuple(endpoints)
        as_user = f", user '{user}'" if user else ""
        self._where = f"{', '.join(endpoints)} (profile '{profile}'{as_user})"

    @classmethod
    def connect(
        cls,
        profile: str,
        endpoints: Sequence[str],
        *,
        user: str = "",
        password: str = "",
        ca: Path | str | None = None,
        cert: Path | str | None = None,
        key: Path | str | None = None,
    ) -> Self:
        """Return a store that connects at its first call.

        Endpoints are `host:port` or `http(s)://host:port`; InvalidRequest when one is malformed or a
        certificate file cannot be read.
        """
        try:
            client = Etcd3Client(
                endpoints, user=user, password=password, ca_cert=ca, cert_cert=cert, cert_key=key
            )
        except (OSError, ValueError) as error:
            raise InvalidRequest(f"etcd of profile '{profile}': {error}") from error
        return cls(profile, client, endpoints, user)

    def close(self) -> None:
        """Drop all connections; calls under way fail."""
        self._client.close()

    def check(self) -> None:
        """Return when a quorum answers within 6 s and knows us; else AccessDenied or StoreUnavailable."""
        budget = Budget(_CHECK_SECONDS, _CHECK_SECONDS / len(self._endpoints))
        try:
            self._client.get(_PROBE, budget)
        except PermissionDeniedError:
            return  # known, but only allowed to read elsewhere
        except Etcd3Exception as error:
            if isinstance(error, _REFUSALS) or error.answered:
                raise self._named(error, f"'{_PROBE}'") from error
            raise AccessDenied(
                f"etcd cannot be reached at {self._where}: {error.details}; check that it runs there and "
                f"that RESTORE_ETCD_ENDPOINTS or [profiles.{self.profile}.etcd] endpoints says so"
            ) from error

    def get(self, key: str) -> Record | None:
        """Return the record at a key, or None."""
        require_key(key)
        with self._telling(f"'{key}'"):
            return self._read(key)

    def scan(self, prefix: str, *, keys_only: bool = False) -> Iterator[Record]:
        """Yield the records below a prefix in key order, as of one revision; no values for keys_only.

        When etcd compacts that revision meanwhile, what is left to yield comes from the newest one.
        """
        with self._telling(f"'{prefix}'"):
            for value, found in self._client.get_prefix(prefix, keys_only=keys_only):
                yield Record(decoded(found.key), value, found.create_revision, found.mod_revision)

    def commit(self, transaction: Transaction) -> bool:
        """Apply a transaction of at most 128 operations and 1.5 MiB; False when a guard does not hold.

        When the answer is lost and the transaction writes a key that it guards, that key is read: our
        value in a newer revision means True. So a value that others might write to the same key as
        well must name its writer. Every other transaction is repeated as it is.
        """
        require_fits(transaction)
        with self._telling(_subject(transaction)):
            return self._commit(transaction)

    def commit_all(self, guards: Sequence[Guard], puts: Iterable[tuple[str, bytes]]) -> int | None:
        """Put any number of records in as many guarded transactions as the limits ask for.

        Returns the number of records written, or None as soon as a guard does not hold.
        """
        return commit_packed(self.commit, guards, puts)

    def _commit(self, transaction: Transaction) -> bool:
        own, budget = _own_guard(transaction), self._client.budget()
        try:
            return self._send(transaction, budget, repeatable=own is None)
        except Etcd3Exception as lost:
            if own is None or not lost.maybe_applied:
                raise
            return self._settled(own, transaction, budget, lost)

    def _settled(self, own: Guard, transaction: Transaction, budget: Budget, lost: Etcd3Exception) -> bool:
        """Return the truth about a transaction whose answer was lost; raise `lost` when time is up."""
        while True:
            try:
                outcome = self._outcome(own, transaction, budget)
                if outcome is not None:
                    return outcome
                # A late first try may win over this one: then the guard fails, but the value is ours.
                done = self._send(transaction, budget, repeatable=False)
                return done or bool(self._outcome(own, transaction, budget))
            except Etcd3Exception as error:
                if not error.maybe_applied or not budget.pause():
                    raise lost from error
                count_retry("etcd", error)

    def _send(self, transaction: Transaction, budget: Budget, *, repeatable: bool) -> bool:
        on = self._client.transactions
        conditions = [on.mod(guard.key) == guard.mod_revision for guard in transaction.guards]
        operations = [on.put(key, value) for key, value in transaction.puts.items()]
        operations += [on.delete(key) for key in transaction.deletes]
        return self._client.transaction(conditions, operations, budget=budget, repeatable=repeatable)[0]

    def _outcome(self, own: Guard, transaction: Transaction, budget: Budget) -> bool | None:
        """Return whether the guarded key is as the transaction leaves it; None when it is unchanged."""
        record = self._read(own.key, budget)
        if (record.mod_revision if record else 0) == own.mod_revision:
            return None
        return (record.value if record else None) == transaction.puts.get(own.key)

    def _read(self, key: str, budget: Budget | None = None) -> Record | None:
        value, found = self._client.get(key, budget)
        if value is None or found is None:
            return None
        return Record(key, value, found.create_revision, found.mod_revision)

    @contextmanager
    def _telling(self, subject: str) -> Iterator[None]:
        try:
            yield
        except Etcd3Exception as error:
            raise self._named(error, subject) from error

    def _named(self, error: Etcd3Exception, subject: str) -> RestoreError:
        """Return the error of the port; it names call, key, endpoints and profile, never a password."""
        what = f"{error.call} of {subject} at {self._where}"
        if isinstance(error, _REFUSALS):
            return AccessDenied(f"etcd refused {what}: {error.details}; check user, password and role")
        undecided = error.maybe_applied and error.call == TXN.name
        doubt = ", and it is not known whether it took effect" if undecided else ""
        return StoreUnavailable(f"etcd did not complete {what}{doubt}: {error.details}")


def _own_guard(transaction: Transaction) -> Guard | None:
    """Return a guard whose key the transaction itself writes, one that it puts if there is one."""
    for written in (transaction.puts, transaction.deletes):
        for guard in transaction.guards:
            if guard.key in written:
                return guard
    return None


def _subject(transaction: Transaction) -> str:
    keys = [*transaction.puts, *transaction.deletes, *(guard.key for guard in transaction.guards)]
    others = f" and {len(keys) - 1} more keys" if len(keys) > 1 else ""
    return f"'{keys[0] if keys else ''}'{others}"
