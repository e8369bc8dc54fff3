from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from restore.errors import RestoreError, StoreUnavailable
from stores.budget import Budget
from stores.etcd_channel import EtcdChannel
from stores.etcd_endpoint import Identity
from stores.etcd_errors import ConnectionTimeoutError
from stores.ports import Location
from stores.retry import Retry
from stores.retry_metrics import failure_class
from stores.s3_errors import Call, UploadGone, classified
from tests.telemetry import measured

CALL = Call("CopyObject", Location("b", "k"), "default", "http://s3")


def answered(code: str, status: int) -> ClientError:
    told: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(told, "CopyObject")


def explained(error: Exception) -> RestoreError | UploadGone:
    """The error as the stores raise it."""
    try:
        raise classified(error, CALL) from error
    except (RestoreError, UploadGone) as raised:
        return raised


def failing(times: int, error: Exception) -> Callable[[], str]:
    left = [error] * times

    def call() -> str:
        if left:
            raise left.pop()
        return "answer"

    return call


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (answered("SlowDown", 503), "SlowDown"),
        (answered("", 503), "503"),
        (ReadTimeoutError(endpoint_url="http://s3/?X-Amz-Signature=s"), "ReadTimeoutError"),
    ],
    ids=["a code", "no code", "no answer"],
)
def test_a_class_is_the_stores_word_or_the_silences(error: Exception, expected: str) -> None:
    assert failure_class(explained(error)) == expected


def test_a_failure_that_explains_no_other_is_its_own_class() -> None:
    assert failure_class(StoreUnavailable("busy")) == "StoreUnavailable"


def test_each_repeat_is_counted_by_store_and_class() -> None:
    labels = {"store": "s3", "class": "SlowDown"}
    before = measured("milvus_restore.retries", **labels)

    error = explained(answered("SlowDown", 503))
    assert Retry(first_wait=0.001, longest_wait=0.002).run(failing(3, error)) == "answer"

    assert measured("milvus_restore.retries", **labels) == before + 3


def test_a_failure_that_is_not_repeated_is_no_retry() -> None:
    labels = {"store": "root_coord", "class": "StoreUnavailable"}
    measured("milvus_restore.retries", **labels)

    with pytest.raises(StoreUnavailable):
        Retry(budget=0, store="root_coord").run(failing(9, StoreUnavailable("busy")))

    assert measured("milvus_restore.retries", **labels) == 0


def test_repeats_of_calls_to_etcd_are_counted() -> None:
    labels = {"store": "etcd", "class": "ConnectionTimeoutError"}
    before = measured("milvus_restore.retries", **labels)
    channel = EtcdChannel(["127.0.0.1:1"], Identity("", "", None, None, None))
    call = failing(2, ConnectionTimeoutError("late"))

    assert channel.attempt(lambda *_: call(), Budget(10, 1), repeatable=True) == "answer"

    channel.close()
    assert measured("milvus_restore.retries", **labels) == before + 2
