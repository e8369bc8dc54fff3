"""Where the domain's errors become Temporal's: once, for every activity."""

from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from restore.errors import RestoreError, StoreUnavailable


def failure_of(error: RestoreError, *details: bool) -> ApplicationError:
    """The same failure for Temporal: type is the class's name, permanent ones are not retried.

    A store that told when to come back is asked again then.
    """
    seconds = error.retry_after if isinstance(error, StoreUnavailable) else None
    return ApplicationError(
        str(error),
        *details,
        type=type(error).__name__,
        non_retryable=error.permanent,
        next_retry_delay=timedelta(seconds=seconds) if seconds else None,
    )


def _of_ours(error: RestoreError) -> RestoreError:
    """Return the error without the libraries' errors that it came from.

    Their words go where ours go, into histories, logs and traces, and may repeat a secret: what a
    credential process printed, for one.
    """
    last: BaseException = error
    while isinstance(last.__cause__, RestoreError):
        last = last.__cause__
    last.__cause__ = None
    return error


class _Translation(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, search_attributes: bool) -> None:
        super().__init__(following)
        self._search_attributes = search_attributes

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            return await super().execute_activity(input)
        except RestoreError as error:
            # A refused opening has no result to say whether the server knows our search attributes.
            opening = activity.in_activity() and activity.info().activity_type == "open_restore"
            raise failure_of(error, *([self._search_attributes] if opening else [])) from _of_ours(error)


class ErrorTranslation(Interceptor):
    """Lets activities raise the errors of restore/errors.py."""

    def __init__(self, *, search_attributes: bool = False) -> None:
        self._search_attributes = search_attributes

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Put the translation around an activity."""
        return _Translation(next, self._search_attributes)
