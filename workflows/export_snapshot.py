"""ExportSnapshot: a bundle that holds its own data, its metadata last; or nothing."""

import asyncio
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from activities.exporting import ExportActivities
from restore.request import RestoreRequest
from restore.snapshot_export import ExportOrder, ExportRequest, ExportResult
from workflows import options
from workflows.control import explain, finish, invalid, settle
from workflows.source_hold import SourceHold


@workflow.defn(name="ExportSnapshot")
class ExportSnapshot:
    """Copies a snapshot with its data to another bucket or prefix; holds it meanwhile, as a restore does."""

    @workflow.init
    def __init__(self, request: ExportRequest | None = None) -> None:
        self._request = request
        self._hold = SourceHold(None)

    @workflow.run
    async def run(self, request: ExportRequest | None = None) -> ExportResult:
        """Answer with the bundle's URI once it is whole."""
        if self._request is None:
            raise invalid("fields snapshot and to: Field required; the input is one JSON object")
        order = ExportOrder(request=self._request, export_id=str(workflow.uuid4()))
        await self._open(order)
        try:
            await self._take(order)
            result = await self._write(order)
        except (FailureError, asyncio.CancelledError) as error:
            await self._end(order, error)
        await finish(self._hold.release())
        return result

    async def _open(self, order: ExportOrder) -> None:
        try:
            name: str = await settle(
                workflow.start_activity_method(
                    ExportActivities.open_export, order, summary=order.request.to[:190], **options.OPEN
                )
            )
        except FailureError as error:
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError from error
            raise explain(error) from error
        workflow.set_current_details(f"snapshot {name} goes to s3://{order.bucket}/{order.root}")

    async def _take(self, order: ExportOrder) -> None:
        given = order.request
        source = RestoreRequest(
            snapshot=given.snapshot, target="bundle", source=given.source, destination=given.destination
        )
        await self._hold.take(source, order.export_id)

    async def _write(self, order: ExportOrder) -> ExportResult:
        result: ExportResult = await settle(
            workflow.start_activity_method(
                ExportActivities.write_bundle, order, summary="data, manifests, metadata", **options.WHOLE
            )
        )
        return result

    async def _end(self, order: ExportOrder, error: BaseException) -> NoReturn:
        """Leave nothing behind, then fail with the root cause."""
        cancelled = workflow.cancellation_reason() is not None
        reason = "cancelled" if cancelled else explain(error).message
        await finish(self._hold.release())
        try:
            await finish(self._discard(order))
        except FailureError as left:
            raise ApplicationError(
                f"the bundle s3://{order.bucket}/{order.root} could not be removed: {explain(left).message}; "
                f"it was discarded because of: {reason}",
                type="RollbackIncomplete",
                non_retryable=True,
            ) from error
        if cancelled:
            raise asyncio.CancelledError from None
        raise explain(error) from error

    async def _discard(self, order: ExportOrder) -> int:
        return await workflow.execute_activity_method(
            ExportActivities.discard_bundle, order, summary="all below its root", **options.WHOLE
        )
