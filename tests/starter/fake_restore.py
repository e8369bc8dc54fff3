"""A RestoreSnapshot that keeps the contract and copies nothing; its snapshot's name says how it goes."""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from formats.model import Model
from restore.progress import Phase, Progress, RestoreResult
from restore.request import RestoreRequest

RESULT = RestoreResult(
    job_id="4611686018427387905",
    collection_id="4611686018427387904",
    segments=24,
    rows=1_200_000,
    objects=5_310,
    objects_skipped=12,
    bytes=3 * 2**30,
    seconds=12.0,
    certificate="s3://a-bucket/files/restores/4611686018427387905/certificate.json",
)


class Concurrency(Model):
    value: int


@workflow.defn(name="RestoreSnapshot")
class FakeRestore:
    """Snapshot `hold` copies until `proceed`, `fail/TYPE` fails, `late` is past the point of no return."""

    def __init__(self) -> None:
        self.phase: Phase = "planning"
        self.paused = False
        self.concurrency = 0
        self.may_proceed = False
        self.may_end_rollback = False

    @workflow.run
    async def run(self, request: RestoreRequest) -> RestoreResult:
        self.concurrency = request.concurrency
        how, _, rest = request.snapshot.partition("/")
        if how == "fail":
            raise ApplicationError(f"segment 442: {rest} in words", type=rest, non_retryable=True)
        if how == "continue" and not workflow.info().continued_run_id:
            workflow.continue_as_new(request)
        self.phase = "copying"
        if how in {"hold", "late", "stuck"}:
            await self._copy(how)
        self.phase = "completed"
        return RESULT

    async def _copy(self, how: str) -> None:
        try:
            await workflow.wait_condition(lambda: self.may_proceed)
        except asyncio.CancelledError:
            if how == "late":
                return
            self.phase = "rolling_back"
            await workflow.wait_condition(lambda: self.may_end_rollback)
            if how == "stuck":
                raise ApplicationError(
                    "2 objects are left", type="RollbackIncomplete", non_retryable=True
                ) from None
            self.phase = "canceled"
            raise

    @workflow.signal
    def proceed(self) -> None:
        self.may_proceed = True

    @workflow.signal
    def end_rollback(self) -> None:
        self.may_end_rollback = True

    @workflow.query
    def progress(self) -> dict[str, Any]:
        known = Progress(
            phase=self.phase,
            segments_total=24,
            segments_done=6,
            objects_total=5_310,
            objects_done=1_204,
            bytes_total=3 * 2**30,
            bytes_done=3 * 2**28,
            objects_per_second=100.4,
            bytes_per_second=64 * 2**20,
            seconds_left=36.0,
            concurrency=self.concurrency,
            paused=self.paused,
            started_at="2026-01-01T00:00:00+00:00",
        )
        return known.model_dump() | {"a_field_of_a_newer_worker": 1}

    @workflow.update
    def pause(self) -> Progress:
        self.paused = True
        return self._answer()

    @pause.validator
    def _may_pause(self) -> None:
        if self.paused:
            raise ApplicationError("the restore is paused already", type="AlreadyPaused")

    @workflow.update
    def resume(self) -> Progress:
        self.paused = False
        return self._answer()

    @workflow.update
    def set_concurrency(self, wanted: Concurrency) -> Progress:
        self.concurrency = wanted.value
        return self._answer()

    def _answer(self) -> Progress:
        return Progress(phase=self.phase, paused=self.paused, concurrency=self.concurrency)


@workflow.defn(name="CopySegment")
class FakeTask:
    """Something that is no restore."""

    @workflow.run
    async def run(self) -> None:
        return
