"""What an S3 server's refusal, or its silence, means for a restore."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    SSOError,
    TokenRetrievalError,
)

from restore.errors import (
    AccessDenied,
    InvalidRequest,
    ObjectMismatch,
    ObjectMissing,
    RestoreError,
    StoreUnavailable,
)
from stores.ports import Location

_ABSENT = {"NoSuchKey", "NoSuchVersion", "NotFound", "404"}
_CHANGED = {"PreconditionFailed", "412"}
# Refusals that do not come as 401 or 403, or may come inside a 200 answer. A HEAD answer has no body, so
# that a bad token is a bare 400 there.
_DENIED = {
    "400",
    "AccessDenied",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
_ELSEWHERE = {
    "301",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
}
# Troubles that pass although their status is not 5xx: throttling, and requests damaged on their way.
_PASSING = {
    "BadDigest",
    "ConditionalRequestConflict",
    "IncompleteBody",
    "InternalError",
    "OperationAborted",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ServiceUnavailable",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "XAmzContentSHA256Mismatch",
}
_NO_CREDENTIALS = (
    CredentialRetrievalError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)
_LONGEST_MESSAGE = 200  # characters: what a proxy sends instead of S3's answer may be a whole page


class UploadGone(Exception):
    """The multipart upload is completed or aborted already; it never leaves the stores."""


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked of a store: the words of an error.

    `at` is a bucket's name when no object is meant; `to` is the target of a copy.
    """

    operation: str
    at: Location | str
    profile: str
    endpoint: str
    to: Location | None = None

    @property
    def bucket(self) -> str:
        """The bucket that was asked for."""
        return self.at.bucket if isinstance(self.at, Location) else self.at

    def attributes(self) -> dict[str, str]:
        """What a trace tells of the call; a copy is told by its target."""
        place = self.to or self.at
        bucket, key = (place.bucket, place.key) if isinstance(place, Location) else (place, "")
        told = {"rpc.system": "aws-api", "server.address": self.endpoint, "aws.s3.bucket": bucket}
        told |= {"aws.s3.key": key} if key else {}
        return told | ({"aws.s3.copy_source": str(self.at)} if self.to else {})

    @property
    def asker(self) -> str:
        """Who asked what of whom."""
        return f"{self.operation} at {self.endpoint}, profile {self.profile}"

    def __str__(self) -> str:
        place = self.at if isinstance(self.at, Location) else f"bucket {self.at}"
        to = f" to {self.to}" if self.to else ""
        return f"{self.operation} of {place}{to} at {self.endpoint} with profile {self.profile}"


def setting(profile: str, field: str) -> str:
    """Return how an operator names a setting of a profile's object store."""
    table = f"{field} in [profiles.{profile}.s3]"
    return f"RESTORE_S3_{field.upper()}" if profile == "default" else table


def code(error: BaseException | None) -> str:
    """Return the S3 error code of an answer, empty when there was none; classified errors carry theirs."""
    answer = error if isinstance(error, ClientError) else getattr(error, "__cause__", None)
    return str(answer.response.get("Error", {}).get("Code", "")) if isinstance(answer, ClientError) else ""


def classified(error: Exception, call: Call) -> RestoreError | UploadGone:
    """Return the error of a restore that an error of boto3 or below means; secrets are not in it.

    UploadGone for an upload that no longer exists.
    """
    if isinstance(error, ClientError):
        return _refused(error, call)
    if isinstance(error, _NO_CREDENTIALS):
        # Only the kind: the text may repeat what a credential process printed.
        return AccessDenied(f"{call} has no usable credentials: {type(error).__name__}")
    if isinstance(error, ParamValidationError):
        return InvalidRequest(f"{call} cannot be asked for: {_sentence(str(error))}")
    if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
        return AccessDenied(f"{call} does not trust the server's certificate; AWS_CA_BUNDLE names the CA's")
    return StoreUnavailable(f"{call} got no answer: {why_silent(error)}")


def why_silent(error: BaseException | None) -> str:
    """Return what kept an answer from coming: botocore's name for it, and the operating system's."""
    inner = getattr(error, "kwargs", {}).get("error", error)
    return f"{type(error).__name__}, {_sentence(str(inner).rpartition(': ')[2])}"


def _refused(error: ClientError, call: Call) -> RestoreError | UploadGone:
    kind, status = code(error), _status(error)
    reason = f"{kind or status}, {_sentence(str(error.response.get('Error', {}).get('Message', '')))}"
    if kind == "NoSuchUpload":
        return UploadGone(str(call))
    if kind == "NoSuchBucket":
        return ObjectMissing(f"bucket {call.bucket} does not exist ({call.asker})")
    if kind in _ABSENT:
        return ObjectMissing(f"{call.at} does not exist ({call.asker})")
    if kind in _CHANGED or status == 412:
        return ObjectMismatch(f"{call.at} is not the object that was listed ({call.asker}: {reason})")
    denied = kind in _DENIED or kind in _ELSEWHERE
    if not denied and (kind in _PASSING or _may_pass(status)):
        return _busy(error, f"{call} was put off: {reason}")
    if not denied and status == 400:
        return InvalidRequest(f"{call} is not a valid request to this store: {reason}")
    return AccessDenied(f"{call} is refused: {reason}{_hint(kind, error, call)}")


def _may_pass(status: int) -> bool:
    return status in (408, 429) or (status >= 500 and status != 501)


def _hint(kind: str, error: ClientError, call: Call) -> str:
    if kind in _ELSEWHERE:
        return f"; check {setting(call.profile, 'region')}"
    # The credential chain makes calls of its own, such as AssumeRole.
    own = error.operation_name == call.operation
    return "" if own else f" (when asking for credentials with {error.operation_name})"


def _busy(error: ClientError, message: str) -> StoreUnavailable:
    busy = StoreUnavailable(message)
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    busy.retry_after = _seconds(str(headers.get("retry-after", "")))
    return busy


def _seconds(header: str) -> float | None:
    """Return the wait of a Retry-After header, which holds seconds or a date."""
    if header.isdecimal():
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _sentence(text: str) -> str:
    """Return the text on one line, cut, without its full stop."""
    return " ".join(text.split())[:_LONGEST_MESSAGE].rstrip(". ")
