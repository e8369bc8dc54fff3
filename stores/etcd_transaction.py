"""Conditions and operations of a transaction, in etcd3's notation: `mod('key') == 0`, `put('key', 'new')`."""

from collections.abc import Iterable, Sequence

from stores.proto import etcd_rpc_pb2 as rpc

Text = str | bytes
Condition = rpc.Compare
Operation = rpc.RequestOp


def encoded(text: Text) -> bytes:
    """Return the bytes of a key or value; what `decoded` returned comes back unchanged."""
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")


def decoded(key: bytes) -> str:
    """Return a key as text; bytes that are not UTF-8 survive as lone surrogates."""
    return key.decode("utf-8", "surrogateescape")


def prefix_end(prefix: bytes) -> bytes:
    r"""Return the first key behind all those with the prefix; '\0', which is no end, when there is none."""
    stem = prefix.rstrip(b"\xff")
    return stem[:-1] + bytes([stem[-1] + 1]) if stem else b"\0"


class _Compared:
    """One side of a comparison; comparing it with a number or value makes the condition."""

    __hash__ = None  # type: ignore[assignment]  # two conditions are never equal, they are built

    def __init__(self, key: Text, target: rpc.Compare.CompareTarget, field: str) -> None:
        self._key = encoded(key)
        self._target = target
        self._field = field

    def __eq__(self, other: object) -> Condition:  # type: ignore[override]  # etcd3's notation
        return self._condition(rpc.Compare.EQUAL, other)

    def __ne__(self, other: object) -> Condition:  # type: ignore[override]  # etcd3's notation
        return self._condition(rpc.Compare.NOT_EQUAL, other)

    def __gt__(self, other: object) -> Condition:
        return self._condition(rpc.Compare.GREATER, other)

    def __lt__(self, other: object) -> Condition:
        return self._condition(rpc.Compare.LESS, other)

    def _condition(self, result: rpc.Compare.CompareResult, other: object) -> Condition:
        condition = rpc.Compare(result=result, target=self._target, key=self._key)
        setattr(condition, self._field, encoded(other) if isinstance(other, str) else other)
        return condition


class Transactions:
    """What a client's `transactions` offers: conditions on a key, and operations."""

    @staticmethod
    def value(key: Text) -> _Compared:
        """The value of a key."""
        return _Compared(key, rpc.Compare.VALUE, "value")

    @staticmethod
    def version(key: Text) -> _Compared:
        """The number of writes since a key was created; 0 when it is absent."""
        return _Compared(key, rpc.Compare.VERSION, "version")

    @staticmethod
    def create(key: Text) -> _Compared:
        """The revision that created a key; 0 when it is absent."""
        return _Compared(key, rpc.Compare.CREATE, "create_revision")

    @staticmethod
    def mod(key: Text) -> _Compared:
        """The revision that last changed a key; 0 when it is absent."""
        return _Compared(key, rpc.Compare.MOD, "mod_revision")

    @staticmethod
    def put(key: Text, value: Text, lease: int = 0) -> Operation:
        """Return the operation that sets a key."""
        put = rpc.PutRequest(key=encoded(key), value=encoded(value), lease=lease)
        return rpc.RequestOp(request_put=put)

    @staticmethod
    def get(key: Text) -> Operation:
        """Return the operation that reads a key."""
        return rpc.RequestOp(request_range=rpc.RangeRequest(key=encoded(key)))

    @staticmethod
    def delete(key: Text) -> Operation:
        """Return the operation that removes a key."""
        return rpc.RequestOp(request_delete_range=rpc.DeleteRangeRequest(key=encoded(key)))


def request(
    compare: Iterable[Condition], success: Iterable[Operation], failure: Iterable[Operation]
) -> rpc.TxnRequest:
    """Return the transaction: `success` happens when every condition holds, else `failure`."""
    return rpc.TxnRequest(compare=compare, success=success, failure=failure)


def answers(response: rpc.TxnResponse) -> Sequence[object]:
    """Return the answer of each operation, in order."""
    return [getattr(each, each.WhichOneof("response") or "") for each in response.responses]
