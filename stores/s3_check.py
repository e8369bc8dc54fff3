"""The first question to a store: whether it is there and lets us read the bucket."""

from concurrent.futures import Future
from dataclasses import replace
from threading import Thread

from botocore.exceptions import ClientError

from restore.errors import AccessDenied, StoreUnavailable
from stores.retry import Retry
from stores.s3_connection import Access, Connection
from stores.s3_errors import setting, why_silent

_ANSWER_WITHIN = 5.5  # seconds: a refused request is to be answered within 10, on a busy machine too
_HASTY = Retry(budget=2.0, longest_wait=0.5)


def check_bucket(access: Access, bucket: str) -> None:
    """Return when the bucket exists and may be listed; answers within 6 s whatever the network does.

    Raises ObjectMissing for an absent bucket, AccessDenied when the keys are refused or nothing answers,
    StoreUnavailable when the store is there but busy.
    """
    # Of its own thread, since resolving a host name knows no timeout.
    answer = Future[None]()
    Thread(target=_settle, args=(answer, access, bucket), daemon=True, name="check-bucket").start()
    try:
        answer.result(timeout=_ANSWER_WITHIN)
    except TimeoutError as error:
        raise _unreachable(access, f"no answer in {_ANSWER_WITHIN:g} s") from error
    except StoreUnavailable as error:
        if isinstance(error.__cause__, ClientError):
            raise
        raise _unreachable(access, why_silent(error.__cause__)) from error


def _settle(answer: Future[None], access: Access, bucket: str) -> None:
    try:
        _ask(access, bucket)
    except BaseException as error:
        answer.set_exception(error)  # the waiting thread raises it
    else:
        answer.set_result(None)


def _ask(access: Access, bucket: str) -> None:
    """List one key: unlike to HEAD, refusals come with a code."""
    hasty = replace(access, connections=1, connect_timeout=2, read_timeout=5)
    connection = Connection(hasty, _HASTY)
    try:
        connection.ask(
            "ListObjectsV2", bucket, lambda client: client.list_objects_v2(Bucket=bucket, MaxKeys=1)
        )
    finally:
        connection.close()


def _unreachable(access: Access, reason: str) -> AccessDenied:
    place = access.endpoint or f"AWS S3 in {access.region}"
    return AccessDenied(
        f"the object store of profile {access.profile} cannot be reached at {place} ({reason}); "
        f"check {setting(access.profile, 'endpoint')}"
    )
