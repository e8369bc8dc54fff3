"""How often requests were sent again, by store and by the class of what had gone wrong."""

from botocore.exceptions import ClientError
from opentelemetry import metrics

from stores.s3_errors import code

_retries = metrics.get_meter("milvus-restore").create_counter(
    "milvus_restore.retries", "{retry}", "Requests to a store that were sent again, by class of failure."
)


def count_retry(store: str, error: BaseException) -> None:
    """Count that a request to `store` is sent again because of an error."""
    _retries.add(1, {"store": store, "class": failure_class(error)})


def failure_class(error: BaseException) -> str:
    """Return S3's error code, or else the name of the innermost error that was explained by this one."""
    cause = error.__cause__ or error
    if isinstance(cause, ClientError):
        status = cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return code(cause) or str(status)
    return type(cause).__name__
