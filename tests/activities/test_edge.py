from traceback import format_exception

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from activities.edge import ErrorTranslation, failure_of
from formats.errors import RestoreError
from restore import errors

KINDS = [getattr(errors, name) for name in errors.__all__ if name != "RestoreError"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_has_the_class_name_as_type_and_is_retried_only_when_that_may_help(
    kind: type[RestoreError],
) -> None:
    failure = failure_of(kind("what, where, found, expected"))
    assert (failure.type, failure.message) == (kind.__name__, "what, where, found, expected")
    assert failure.non_retryable is (kind is not errors.StoreUnavailable)


class Failing(ActivityInboundInterceptor):
    """An activity that raises."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def execute_activity(self, input: ExecuteActivityInput) -> None:  # noqa: A002 - the SDK's name
        raise self._error


async def run(error: BaseException) -> None:
    given = ExecuteActivityInput(fn=print, args=[], executor=None, headers={})
    await ErrorTranslation().intercept_activity(Failing(error)).execute_activity(given)


async def test_an_activitys_error_arrives_translated_with_its_cause() -> None:
    error = errors.ObjectMissing("s3://b/k is absent")
    with pytest.raises(ApplicationError) as caught:
        await run(error)
    assert caught.value.type == "ObjectMissing"
    assert caught.value.__cause__ is error


async def test_what_a_library_said_stays_behind() -> None:
    library = ValueError("the credential process printed: AKIA-secret")
    inner = errors.StoreUnavailable("GET s3://b/k got no answer")
    inner.__cause__ = library
    error = errors.AccessDenied("s3://b/k has no usable credentials")
    error.__cause__ = inner

    with pytest.raises(ApplicationError) as caught:
        await run(error)

    told = "".join(format_exception(caught.value))
    assert "no usable credentials" in told
    assert "got no answer" in told
    assert "AKIA-secret" not in told


async def test_any_other_error_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        await run(ZeroDivisionError())
