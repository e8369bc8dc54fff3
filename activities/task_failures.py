"""A task that fails for good says so in its record, before anybody undoes or keeps what it did."""

import logging
from typing import Any

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.pulse import run_blocking
from activities.staging import Staging
from restore.errors import RestoreError
from restore.steps import TaskRef
from stores.clients import Clients

_log = logging.getLogger("milvus-restore.activities")


class TaskFailures(Interceptor):
    """Records the permanent failure of any activity that works on a task."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Put the recording around an activity."""
        return _Recording(next, self._clients)


class _Recording(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, clients: Clients) -> None:
        super().__init__(following)
        self._clients = clients

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        try:
            return await super().execute_activity(input)
        except RestoreError as error:
            for task in input.args:
                if isinstance(task, TaskRef) and error.permanent:
                    await self._record(task, str(error))
            raise

    async def _record(self, task: TaskRef, reason: str) -> None:
        try:
            await run_blocking(
                self._clients.work_threads, lambda _: Staging(self._clients, task).fail(reason)
            )
        except RestoreError as error:  # the failure itself matters more than its record
            _log.warning("the failure of the task is not in its record: %s", error)
