from typing import Any

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.exceptions import ApplicationError

from restore.carry import RestoreInput
from restore.steps import CopyReport
from workflows.plugin import BriefFailureConverter, RestorePlugin, StrictPayloadConverter


def decoded(value: Any, kind: Any) -> Any:
    """A value as it comes from the command line, read as a parameter of this type."""
    payloads = PydanticPayloadConverter().to_payloads([value])
    return StrictPayloadConverter().from_payloads(payloads, [kind])[0]


def failure_of(error: BaseException) -> Failure:
    failure = Failure()
    BriefFailureConverter().to_failure(error, StrictPayloadConverter(), failure)
    return failure


def raised_in_the_sdk() -> ApplicationError:
    """An error whose stack goes through the SDK's own files."""
    try:
        decoded({"snapshot": 1}, RestoreInput)
    except ApplicationError as error:
        return error
    raise AssertionError("a wrong input was taken")


def test_a_sound_value_becomes_its_model() -> None:
    assert decoded({"index": 1, "objects": 2, "bytes": 3}, CopyReport) == CopyReport(
        index=1, objects=2, bytes=3
    )


def test_a_null_is_taken_only_where_it_is_meant() -> None:
    assert decoded(None, RestoreInput | None) is None
    assert decoded(None, type(None)) is None
    with pytest.raises(ApplicationError, match="found None") as caught:
        decoded(None, CopyReport)
    assert caught.value.type == "InvalidRequest"


def test_several_values_are_refused_before_their_types_are_lost() -> None:
    payloads = PydanticPayloadConverter().to_payloads([{}, {}])

    with pytest.raises(ApplicationError, match="2 values were given") as caught:
        StrictPayloadConverter().from_payloads(payloads, None)
    assert caught.value.type == "InvalidRequest"
    assert caught.value.non_retryable


def test_a_very_long_value_is_cut_short_in_the_message() -> None:
    with pytest.raises(ApplicationError) as caught:
        decoded({"index": "x" * 10_000, "objects": 1, "bytes": 1}, CopyReport)

    assert "field index: " in caught.value.message
    assert len(caught.value.message) < 300


def test_a_failure_shows_our_frames_only() -> None:
    failure = failure_of(raised_in_the_sdk())

    assert "plugin.py" in failure.stack_trace
    assert "/temporalio/" not in failure.stack_trace


def test_a_failure_keeps_its_message_type_and_cause() -> None:
    failure = failure_of(raised_in_the_sdk())

    assert "field snapshot: " in failure.message
    assert failure.application_failure_info.type == "InvalidRequest"
    assert failure.cause.application_failure_info.type == "ValidationError"


def test_client_worker_and_replayer_get_the_same_converters_from_the_plugin() -> None:
    converter = RestorePlugin().data_converter

    assert not callable(converter)
    assert converter is not None
    assert converter.payload_converter_class is StrictPayloadConverter
    assert converter.failure_converter_class is BriefFailureConverter
