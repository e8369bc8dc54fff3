"""Errors of boto3 as errors of a restore; test_objects and test_s3_faults have what servers really answer."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    SSLError,
    UnauthorizedSSOTokenError,
)
from botocore.parsers import ResponseParserError

from restore.errors import (
    AccessDenied,
    InvalidRequest,
    ObjectMismatch,
    ObjectMissing,
    RestoreError,
    StoreUnavailable,
)
from stores.ports import Location
from stores.s3_errors import Call, UploadGone, classified, code

CALL = Call("GetObject", Location("bucket", "a key"), "default", "http://store:9000")
URL: dict[str, Any] = {"endpoint_url": "http://store:9000/bucket/a%20key"}


def answered(status: int, kind: str, operation: str = "GetObject", **headers: str) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status, "HTTPHeaders": headers}
    return ClientError({"Error": {"Code": kind, "Message": "Told."}, "ResponseMetadata": metadata}, operation)


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (404, "NoSuchKey", ObjectMissing),
        (404, "NoSuchBucket", ObjectMissing),
        (404, "404", ObjectMissing),
        (412, "PreconditionFailed", ObjectMismatch),
        (412, "412", ObjectMismatch),
        (403, "AccessDenied", AccessDenied),
        (403, "403", AccessDenied),
        (403, "InvalidAccessKeyId", AccessDenied),
        (403, "RequestTimeTooSkewed", AccessDenied),
        (400, "ExpiredToken", AccessDenied),
        (400, "400", AccessDenied),
        (301, "PermanentRedirect", AccessDenied),
        (405, "MethodNotAllowed", AccessDenied),
        (501, "NotImplemented", AccessDenied),
        (400, "KeyTooLongError", InvalidRequest),
        (500, "InternalError", StoreUnavailable),
        (503, "SlowDown", StoreUnavailable),
        (503, "503", StoreUnavailable),
        (507, "XMinioStorageFull", StoreUnavailable),
        (429, "TooManyRequests", StoreUnavailable),
        (400, "RequestTimeout", StoreUnavailable),
        (400, "BadDigest", StoreUnavailable),
        (409, "OperationAborted", StoreUnavailable),
    ],
)
def test_answers(status: int, kind: str, expected: type[RestoreError]) -> None:
    told = classified(answered(status, kind), CALL)
    assert type(told) is expected
    assert "profile default" in str(told)
    assert "bucket" in str(told)
    assert "\n" not in str(told)


def test_an_upload_that_is_gone_stays_inside_the_stores() -> None:
    assert isinstance(classified(answered(404, "NoSuchUpload"), CALL), UploadGone)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NoCredentialsError(), AccessDenied),
        (CredentialRetrievalError(provider="process", error_msg="s3cret"), AccessDenied),
        (UnauthorizedSSOTokenError(), AccessDenied),
        (SSLError(**URL, error=OSError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")), AccessDenied),
        (ParamValidationError(report="Invalid bucket name"), InvalidRequest),
        (SSLError(**URL, error=OSError("EOF occurred")), StoreUnavailable),
        (ConnectTimeoutError(**URL), StoreUnavailable),
        (ReadTimeoutError(**URL), StoreUnavailable),
        (ConnectionClosedError(**URL), StoreUnavailable),
        (IncompleteReadError(actual_bytes=1, expected_bytes=2), StoreUnavailable),
        (ResponseParserError("no XML"), StoreUnavailable),
        (ConnectionResetError("reset"), StoreUnavailable),
    ],
)
def test_silence_and_what_happens_before_sending(error: Exception, expected: type[RestoreError]) -> None:
    told = classified(error, CALL)
    assert type(told) is expected
    assert "GetObject of s3://bucket/a key" in str(told)
    assert "s3cret" not in str(told)


def test_a_refusal_of_the_credential_chain_names_its_call() -> None:
    told = classified(answered(403, "AccessDenied", operation="AssumeRole"), CALL)
    assert isinstance(told, AccessDenied)
    assert "AssumeRole" in str(told)


@pytest.mark.parametrize(("header", "seconds"), [("7", 7.0), ("soon", None), ("", None)])
def test_a_wait_in_seconds_is_carried(header: str, seconds: float | None) -> None:
    told = classified(answered(503, "SlowDown", **{"retry-after": header}), CALL)
    assert isinstance(told, StoreUnavailable)
    assert told.retry_after == seconds


def test_a_wait_until_a_date_is_carried_as_seconds() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    told = classified(answered(503, "SlowDown", **{"retry-after": date}), CALL)
    assert isinstance(told, StoreUnavailable)
    assert told.retry_after == pytest.approx(30, abs=5)


def test_a_page_of_a_proxy_becomes_a_short_sentence() -> None:
    error = answered(502, "502")
    error.response["Error"]["Message"] = "<html>\n" + "bad gateway " * 1000
    assert len(str(classified(error, CALL))) < 400


def test_the_code_of_an_answer_is_kept_by_its_error() -> None:
    told = classified(answered(404, "NoSuchBucket"), CALL)
    told.__cause__ = answered(404, "NoSuchBucket")
    assert code(told) == "NoSuchBucket"
    assert code(ValueError()) == ""
