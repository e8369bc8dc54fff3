"""CopySegment: one task of a plan, a group of whole segments, from copy to hidden records."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.binlogs import BinlogActivities
from activities.copying import CopyActivities
from activities.indexes import IndexActivities
from activities.verifying import VerifyActivities
from restore.steps import CopyCount, TaskRef, TaskResult
from workflows import options
from workflows.control import explain, first_failure, settle


@workflow.defn(name="CopySegment")
class CopySegment:
    """After it, every object of the task's segments is in place and proved, and their records are staged.

    It undoes nothing: the restore's rollback does, by plan, whatever was started.
    """

    @workflow.run
    async def run(self, task: TaskRef) -> TaskResult:
        """Copy, prove, then write the records; the three index kinds side by side."""
        try:
            copied = await self._copy(task)
            await self._record(task)
            await settle(workflow.start_activity_method(BinlogActivities.complete_task, task, **options.STEP))
        except (FailureError, BaseExceptionGroup) as error:
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError from error
            first = first_failure(error)
            if is_cancelled_exception(first):
                raise
            raise explain(first) from first
        return copied

    async def _copy(self, task: TaskRef) -> TaskResult:
        count: CopyCount = await settle(
            workflow.start_activity_method(
                CopyActivities.copy_objects, task, summary="skip what is in place", **options.COPY
            )
        )
        result: TaskResult = await settle(
            workflow.start_activity_method(
                VerifyActivities.verify_objects,
                task,
                summary=f"{count.objects} objects against the manifest and their sources",
                **options.COPY,
            )
        )
        return result.model_copy(update={"skipped": count.skipped})

    async def _record(self, task: TaskRef) -> None:
        await settle(
            workflow.start_activity_method(
                BinlogActivities.update_binlogs,
                task,
                summary="segments, hidden, and their binlogs",
                **options.STEP,
            )
        )
        async with asyncio.TaskGroup() as group:
            for sync in (
                IndexActivities.sync_vector_scalar_indexes,
                IndexActivities.sync_text_indexes,
                IndexActivities.sync_json_indexes,
            ):
                group.create_task(
                    settle(workflow.start_activity_method(sync, task, **options.STEP)), name=sync.__name__
                )
