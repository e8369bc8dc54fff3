"""What a running restore tells of itself, and what a finished one answers."""

from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, model_serializer

from formats.model import Model

Phase = Literal[
    "planning",
    "preparing",
    "copying",
    "verifying",
    "publishing",
    "completed",
    "rolling_back",
    "failed",
    "canceled",
]


class Progress(Model):
    """The answer of the `progress` query. Rates are means since copying began; times in seconds.

    `started_at` is ISO 8601, UTC. `seconds_left` is null while no rate is known.
    """

    phase: Phase = "planning"
    segments_total: int = 0
    segments_done: int = 0
    objects_total: int = 0
    objects_done: int = 0
    bytes_total: int = 0
    bytes_done: int = 0
    objects_per_second: float = 0.0
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    concurrency: int = 0
    paused: bool = False
    started_at: str = ""
    message: str = ""


class RestoreResult(Model):
    """The result of RestoreSnapshot. Ids are strings, since they exceed 2^53.

    `rows` is the sum of the segments' num_of_rows; `objects` and `bytes` count all that the plan
    names, `objects_skipped` those of them found already in place; `certificate` is a URI. `warnings` are for
    people; where there is none, the result does not have them.
    """

    job_id: str
    collection_id: str
    segments: int
    rows: int
    objects: int
    objects_skipped: int
    bytes: int
    seconds: float
    certificate: str
    warnings: tuple[str, ...] = ()

    @model_serializer(mode="wrap")
    def _without_no_warnings(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written: dict[str, Any] = write(self)
        return (
            written if self.warnings else {name: each for name, each in written.items() if name != "warnings"}
        )
