"""CreateSnapshot: a record, a manifest per segment, the metadata, the record committed; or nothing."""

import asyncio
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from activities.snapshotting import SnapshotActivities
from restore.snapshot_request import SnapshotRequest, SnapshotResult
from restore.snapshot_steps import SnapshotCount, SnapshotOpening, SnapshotOrder
from workflows import options
from workflows.control import explain, finish, invalid, settle


@workflow.defn(name="CreateSnapshot")
class CreateSnapshot:
    """Takes a snapshot of one collection; a failed or cancelled one leaves neither record nor object."""

    @workflow.init
    def __init__(self, request: SnapshotRequest | None = None) -> None:
        self._request = request

    @workflow.run
    async def run(self, request: SnapshotRequest | None = None) -> SnapshotResult:
        """Answer with what the snapshot contains once it is committed."""
        if self._request is None:
            raise invalid("fields collection and name: Field required; the input is one JSON object")
        order = await self._open(self._request)
        try:
            count = await self._write(order)
            uri = await finish(self._commit(order), refused=self._refuse_cancel)
        except (FailureError, asyncio.CancelledError) as error:
            await self._end(order, error)
        return _result(order, count, uri)

    async def _open(self, request: SnapshotRequest) -> SnapshotOrder:
        opening = SnapshotOpening(request=request, workflow_id=workflow.info().workflow_id)
        try:
            return await settle(
                workflow.start_activity_method(
                    SnapshotActivities.open_snapshot, opening, summary=request.full_name, **options.OPEN
                )
            )
        except FailureError as error:
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError from error
            raise explain(error) from error

    async def _write(self, order: SnapshotOrder) -> SnapshotCount:
        if order.request.flush:
            await settle(
                workflow.start_activity_method(
                    SnapshotActivities.flush_collection,
                    order,
                    summary="Milvus writes what it has in memory",
                    **options.FLUSH,
                )
            )
        await settle(
            workflow.start_activity_method(
                SnapshotActivities.begin_snapshot, order, summary="the pending record", **options.STEP
            )
        )
        count: SnapshotCount = await settle(
            workflow.start_activity_method(
                SnapshotActivities.write_snapshot,
                order,
                summary="a manifest per segment, the metadata last",
                **options.WHOLE,
            )
        )
        if workflow.cancellation_reason() is not None:
            raise asyncio.CancelledError
        return count

    async def _commit(self, order: SnapshotOrder) -> str:
        return await workflow.execute_activity_method(
            SnapshotActivities.commit_snapshot, order, summary="visible from here on", **options.STEP
        )

    def _refuse_cancel(self) -> None:
        workflow.set_current_details("A cancel was refused: the snapshot is being committed.")

    async def _end(self, order: SnapshotOrder, error: BaseException) -> NoReturn:
        """Leave nothing behind, then fail with the root cause."""
        cancelled = workflow.cancellation_reason() is not None
        reason = "cancelled" if cancelled else explain(error).message
        try:
            discarded = await finish(self._discard(order))
        except FailureError as left:
            raise _incomplete(
                order, f"{explain(left).message}; it was discarded because of: {reason}"
            ) from error
        if not discarded:
            raise _incomplete(order, f"it was committed all the same: {reason}") from error
        if cancelled:
            raise asyncio.CancelledError from None
        raise explain(error) from error

    async def _discard(self, order: SnapshotOrder) -> bool:
        return await workflow.execute_activity_method(
            SnapshotActivities.discard_snapshot, order, summary="record and files", **options.WHOLE
        )


def _incomplete(order: SnapshotOrder, why: str) -> ApplicationError:
    return ApplicationError(
        f"snapshot {order.request.full_name} (id {order.snapshot_id}) could not be discarded: {why}",
        type="RollbackIncomplete",
        non_retryable=True,
    )


def _result(order: SnapshotOrder, count: SnapshotCount, uri: str) -> SnapshotResult:
    return SnapshotResult(
        snapshot_id=order.snapshot_id,
        collection_id=order.collection_id,
        segments=count.segments,
        rows=count.rows,
        objects=count.objects,
        bytes=count.bytes,
        metadata=uri,
        recorded=order.recorded,
    )
