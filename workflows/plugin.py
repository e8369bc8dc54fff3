"""What client, worker, tests and replayer must agree on: one plugin that all of them take."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import PydanticPayloadConverter, pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter
from temporalio.plugin import SimplePlugin
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows.control import invalid

_SDK_FRAMES = re.compile(r'  File "[^"]*[/\\]temporalio[/\\][^\n]*\n(?:    [^\n]*\n)*')


def describe(error: ValidationError) -> str:
    """One sentence that names each wrong field, what was found and what is expected."""
    return "; ".join(
        f"field {'.'.join(map(str, each['loc'])) or '(whole input)'}: {each['msg']}"
        + ("" if each["type"] == "missing" else f", found {each['input']!r:.80}")
        for each in error.errors(include_url=False)
    )


class StrictPayloadConverter(PydanticPayloadConverter):
    """Turns input that does not fit its model into an `InvalidRequest`.

    An ApplicationError fails the workflow at once; a ValidationError would fail only the workflow task,
    and leave the workflow running for ever.
    """

    def from_payloads(
        self, payloads: Sequence[Payload], type_hints: list[type[Any]] | None = None
    ) -> list[Any]:
        """Return the values, or raise InvalidRequest with one sentence.

        Everything of ours takes exactly one value; given several, the SDK would drop the type hints.
        """
        if len(payloads) > 1:
            raise invalid(f"one JSON object is expected as input, {len(payloads)} values were given")
        try:
            values = super().from_payloads(payloads, type_hints)
            if values == [None] and type_hints:
                TypeAdapter(type_hints[0]).validate_python(None)  # a null is decoded without its hint
        except ValidationError as error:
            raise invalid(describe(error)) from error
        return values


class BriefFailureConverter(DefaultFailureConverter):
    """Leaves the SDK's own frames out of stack traces, so that web UI and CLI show ours."""

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Fill the failure, its stack trace cut to our own frames."""
        super().to_failure(exception, payload_converter, failure)
        failure.stack_trace = _SDK_FRAMES.sub("", failure.stack_trace)


class RestorePlugin(SimplePlugin):
    """Data converter, sandbox and failure types of milvus-restore."""

    def __init__(self) -> None:
        super().__init__(
            "RestorePlugin",
            data_converter=replace(
                pydantic_data_converter,
                payload_converter_class=StrictPayloadConverter,
                failure_converter_class=BriefFailureConverter,
            ),
            workflow_runner=SandboxedWorkflowRunner(
                # Pure or only called from activities: loading them once per process is enough.
                restrictions=SandboxRestrictions.default.with_passthrough_modules(
                    "activities", "formats", "restore", "stores"
                )
            ),
        )
