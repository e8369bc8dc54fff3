"""Every run of a test once more, from its history: the same decisions, or a divergence."""

from collections import deque
from collections.abc import AsyncIterator, Iterable

from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Plugin, Replayer

from workflows import WORKFLOWS
from workflows.plugin import RestorePlugin

Run = tuple[str, str]
"""A workflow id and a run id."""


async def family(client: Client, runs: Iterable[Run]) -> AsyncIterator[WorkflowHistory]:
    """The histories of the runs, of the runs that continue them, and of all their children."""
    waiting, seen = deque(runs), set[Run]()
    while waiting:
        run = waiting.popleft()
        if run not in seen:
            seen.add(run)
            history = await client.get_workflow_handle(run[0], run_id=run[1]).fetch_history()
            waiting.extend(kin(history))
            yield history


def kin(history: WorkflowHistory) -> Iterable[Run]:
    """The runs that a run has started: its children, and the run that continues it."""
    for event in history.events:
        child = event.child_workflow_execution_started_event_attributes.workflow_execution
        if child.run_id:
            yield child.workflow_id, child.run_id
        continued = event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        if continued:
            yield history.workflow_id, continued


async def divergences(
    histories: AsyncIterator[WorkflowHistory], workflows: list[type] = WORKFLOWS, *more: Plugin
) -> list[str]:
    """What the workflows decide differently now, one line for each run; empty when all is as it was."""
    replayer = Replayer(workflows=workflows, plugins=[RestorePlugin(), *more])
    async with replayer.workflow_replay_iterator(histories) as results:
        return [
            f"{each.history.workflow_id} ({each.history.run_id}): {each.replay_failure}"
            async for each in results
            if each.replay_failure
        ]
