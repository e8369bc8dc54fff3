"""The workflows of today decide as the released ones did (tests/histories/README.md)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory

from tests.histories.paths import PATHS
from tests.histories.stored import load, releases
from tests.workflows.other_order import OtherRestore
from tests.workflows.replaying import divergences

ADVICE = """
A restore that was started with release {release} and is still running would hang with this code.
  - Not meant? Undo it: an activity or child was added, removed, renamed or reordered in workflows/.
  - Meant? Keep the old way for old histories:
        if workflow.patched("what-changed"): ... the new way ...
        else: ... the old way ...
  - {release} is not released yet? Commit, then record it again: python -m tests.histories.record
Never record over a released version. See tests/histories/README.md.
"""

FILES = [file for release in releases() for file in sorted(release.glob("*.json.gz"))]

ENDS = {
    "ok": {"restore#1": "COMPLETED", "task-1#1": "COMPLETED"},
    "continued": {"restore#1": "CONTINUED_AS_NEW", "restore#2": "COMPLETED", "task-1#1": "CANCELED"},
    "failed": {
        "restore#1": "FAILED",
        "task-0#1": "CANCELED",
        "task-1#1": "FAILED",
        "rollback#1": "COMPLETED",
    },
    "cancelled": {"restore#1": "CANCELED", "task-0#1": "CANCELED", "rollback#1": "COMPLETED"},
    "paused": {"restore#1": "COMPLETED", "task-0#1": "CANCELED", "task-0#2": "COMPLETED"},
    "kept": {"restore#1": "FAILED", "task-1#1": "FAILED", "restore#2": "COMPLETED", "task-1#2": "COMPLETED"},
}


async def each(histories: dict[str, WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories.values():
        yield history


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name.partition('.')[0]}")
async def test_what_a_release_has_begun_goes_on_with_this_code(file: Path) -> None:
    found = await divergences(each(load(file)))

    assert not found, "\n".join([*found, ADVICE.format(release=file.parent.name)])


def test_every_release_has_a_history_of_every_path() -> None:
    assert releases()
    for release in releases():
        recorded = {file.name.partition(".")[0] for file in release.glob("*.json.gz")}
        assert recorded == set(PATHS) == set(ENDS), release.name
        assert (release / "COMMIT").read_text().strip()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name.partition('.')[0]}")
def test_a_history_is_of_the_path_that_its_file_is_named_after(file: Path) -> None:
    histories = load(file)
    expected = ENDS[file.name.partition(".")[0]]

    assert {name: _end_of(histories[name]) for name in expected} == expected


async def test_another_decision_is_seen() -> None:
    ok = load(releases()[-1] / "ok.json.gz")

    found = await divergences(each({"restore#1": ok["restore#1"]}), [OtherRestore])

    assert len(found) == 1
    assert "Nondeterminism" in found[0]


def _end_of(history: WorkflowHistory) -> str:
    return EventType.Name(history.events[-1].event_type).removeprefix("EVENT_TYPE_WORKFLOW_EXECUTION_")
