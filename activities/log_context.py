"""Every line that an activity logs names its task, job, collection and state, and its span does too."""

import logging
from collections.abc import Iterator
from typing import Any

from opentelemetry import trace
from pydantic import BaseModel
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.pulse import run_blocking
from restore.errors import RestoreError
from restore.log_format import set_log_fields
from restore.plan import PlanRef
from restore.steps import TaskRef
from stores.clients import Clients

_log = logging.getLogger("milvus-restore.activities")

_STATES = {
    "open_restore": "planning",
    "pin_source": "planning",
    "create_target": "planning",
    "plan_restore": "planning",
    "reserve_target": "preparing",
    "keep_restore": "preparing",
    "verify_restore": "verifying",
    "publish_restore": "publishing",
    "complete_restore": "publishing",
    "fence_restore": "rolling_back",
    "remove_records": "rolling_back",
    "remove_objects": "rolling_back",
    "remove_target": "rolling_back",
    "forget_restore": "rolling_back",
    "unpin_source": "releasing",
    "open_snapshot": "planning",
    "flush_collection": "preparing",
    "begin_snapshot": "preparing",
    "write_snapshot": "writing",
    "commit_snapshot": "publishing",
    "discard_snapshot": "rolling_back",
    "open_drop": "planning",
    "begin_drop": "removing",
    "remove_snapshot": "removing",
    "find_garbage": "planning",
    "collect_snapshot": "removing",
    "open_export": "planning",
    "discard_bundle": "rolling_back",
}
"""The phase of the restore that an activity is part of; all others copy."""


class LogContext(Interceptor):
    """Sets the fields when an activity begins, and logs its beginning and end.

    A task goes by the id of its record in etcd, which its plan tells; by its number where the plan is gone.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Put the fields around an activity."""
        return _Fields(next, self._clients)


class _Fields(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, clients: Clients) -> None:
        super().__init__(following)
        self._clients = clients

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        name = activity.info().activity_type
        fields = {key: value for each in input.args for key, value in _identities(each)}
        for task in (each for each in input.args if isinstance(each, TaskRef)):
            fields["taskID"] = await self._task_id(task)
        # Never reset: an activity has a context of its own, and the SDK logs its failure in it.
        set_log_fields(state=_STATES.get(name, "copying"), **fields)
        trace.get_current_span().set_attributes({f"milvus_restore.{key}": fields[key] for key in fields})
        _log.info("%s begins, attempt %d", name, activity.info().attempt)
        result = await super().execute_activity(input)
        _log.info("%s ends: %s", name, result)
        return result

    async def _task_id(self, task: TaskRef) -> str:
        archive = self._clients.archive(task.plan.profile)
        try:
            plan = await run_blocking(self._clients.work_threads, lambda _: archive.plan(task.plan))
        except RestoreError:
            return str(task.index)  # what is wrong with the plan, the activity will find and tell
        return str(plan.task_ids[task.index]) if task.index < len(plan.task_ids) else str(task.index)


def _identities(value: Any) -> Iterator[tuple[str, str]]:
    """What an activity's input says of where it belongs, however deep."""
    if not isinstance(value, BaseModel):
        return
    for name in type(value).model_fields:
        inner = getattr(value, name)
        if name == "job_id":
            yield "jobID", str(inner)
        elif name == "collection_id" and isinstance(value, PlanRef):
            yield "collectionID", inner
        else:
            yield from _identities(inner)
