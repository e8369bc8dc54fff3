"""Where the domain's errors become Temporal's: once, for every activity."""

from datetime import timedelta
from typing import Any

from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from restore.errors import RestoreError, StoreUnavailable


def failure_of(error: RestoreError) -> ApplicationError:
    """The same failure for Temporal: type is the class's name, permanent ones are not retried.

    A store that told when to come back is asked again then.
    """
    seconds = error.retry_after if isinstance(error, StoreUnavailable) else None
    return ApplicationError(
        str(error),
        type=type(error).__name__,
        non_retryable=error.permanent,
        next_retry_delay=timedelta(seconds=seconds) if seconds else None,
    )


class _Translation(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            return await super().execute_activity(input)
        except RestoreError as error:
            raise failure_of(error) from error


class ErrorTranslation(Interceptor):
    """Lets activities raise the errors of restore/errors.py."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Put the translation around an activity."""
        return _Translation(next)
