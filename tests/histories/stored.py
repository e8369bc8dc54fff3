"""History files: a gzipped JSON object of all runs of one path, each under its name."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).parent


def releases() -> list[Path]:
    """The folders of all releases, oldest first by name."""
    return sorted(each for each in FOLDER.iterdir() if each.is_dir() and not each.name.startswith("_"))


def save(file: Path, histories: Iterable[WorkflowHistory]) -> None:
    """Write the runs, without the stack traces: they hold paths of the recording machine."""
    runs: dict[str, Any] = {}
    for history in histories:
        name = run_name(history.workflow_id)
        again = sum(each.partition("#")[0] == name for each in runs)
        runs[f"{name}#{again + 1}"] = _without_traces(json.loads(history.to_json()))
    text = json.dumps(runs, sort_keys=True, separators=(",", ":"))
    file.write_bytes(gzip.compress(text.encode(), mtime=0))


def load(file: Path) -> dict[str, WorkflowHistory]:
    """The runs by name: `restore#1`, `restore#2` (its continuation or a later restore), `task-0#1` …"""
    runs = json.loads(gzip.decompress(file.read_bytes()))
    return {name: WorkflowHistory.from_json(name, run) for name, run in runs.items()}


def run_name(workflow_id: str) -> str:
    """`restore`, `task-3` or `rollback`."""
    parts = workflow_id.split("/")
    return "restore" if len(parts) == 3 else "rollback" if parts[3].startswith("rollback") else parts[3]


def _without_traces(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_traces(each) for key, each in value.items() if key != "stackTrace"}
    return [_without_traces(each) for each in value] if isinstance(value, list) else value
