"""DropSnapshot: nobody holds it, then DELETING, its files, its record; what was begun is finished."""

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.dropping import DropActivities
from restore.snapshot_drop import DropOrder, DropRequest, DropResult
from workflows import options
from workflows.control import explain, finish, invalid, settle


@workflow.defn(name="DropSnapshot")
class DropSnapshot:
    """Idempotent: a snapshot that is not there is dropped, and one that was left half dropped is finished."""

    @workflow.init
    def __init__(self, request: DropRequest | None = None) -> None:
        self._request = request

    @workflow.run
    async def run(self, request: DropRequest | None = None) -> DropResult:
        """Answer once neither files nor record of the snapshot are left."""
        if self._request is None:
            raise invalid("fields collection and name: Field required; the input is one JSON object")
        order = await self._open(self._request)
        if order is None:
            return DropResult(dropped=False)
        try:
            return await finish(self._drop(order), refused=self._refuse_cancel)
        except FailureError as error:
            raise explain(error) from error

    async def _open(self, request: DropRequest) -> DropOrder | None:
        try:
            return await settle(
                workflow.start_activity_method(
                    DropActivities.open_drop, request, summary=request.full_name, **options.OPEN
                )
            )
        except FailureError as error:
            if workflow.cancellation_reason() is not None:
                raise asyncio.CancelledError from error
            raise explain(error) from error

    async def _drop(self, order: DropOrder) -> DropResult:
        there: bool = await workflow.execute_activity_method(
            DropActivities.begin_drop, order, summary="nobody restores it from here on", **options.STEP
        )
        if not there:
            return DropResult(dropped=False)
        files: int = await workflow.execute_activity_method(
            DropActivities.remove_snapshot, order, summary="files, then the record", **options.WHOLE
        )
        return DropResult(dropped=True, snapshot_id=order.snapshot_id, files=files)

    def _refuse_cancel(self) -> None:
        workflow.set_current_details("A cancel was refused: the snapshot is being dropped.")
