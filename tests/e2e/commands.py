"""The two command lines that people use, as processes: Temporal's own and ours."""

import json
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.e2e.worker_process import clean

SCRIPTS: Final = Path(sysconfig.get_path("scripts"))
PATIENCE: Final = 100.0
"""Seconds that a command may take."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Told:
    """What Temporal's command line tells of a restore that has ended; failure's type and message on top."""

    workflow_id: str
    status: str
    result: dict[str, Any] | None
    type: str | None
    message: str
    milliseconds: int

    @classmethod
    def read(cls, ended: Ended) -> "Told":
        """Read the JSON of `workflow execute` or `workflow result`."""
        told = ended.json
        event = told.get("closeEvent", {})
        failure = event.get("workflowExecutionFailedEventAttributes", {}).get("failure", {})
        return cls(
            workflow_id=told["workflowId"],
            status=told["status"],
            result=told.get("result"),
            type=failure.get("applicationFailureInfo", {}).get("type"),
            message=failure.get("message", ""),
            milliseconds=told.get("durationMillis", 0),
        )


class Commands:
    """Both command lines, led to a Temporal server and to a task queue."""

    def __init__(self, address: str, queue: str, home: Path) -> None:
        self.address = address
        self.queue = queue
        self.environment = clean({"TEMPORAL_ADDRESS": address, "RESTORE_TASK_QUEUE": queue}, home)

    def execute(self, *requests: object) -> Told:
        """Start a restore with this JSON input (or several, or none), without an id, and wait for its end."""
        inputs = (word for request in requests for word in ("--input", json.dumps(request)))
        return Told.read(self.workflow("execute", *self._begun(*inputs)))

    def begin(self, request: object) -> str:
        """Start a restore without a workflow id, and return the id that it was given."""
        started = self.workflow("start", *self._begun("--input", json.dumps(request)))
        return str(started.json["workflowId"])

    def outcome(self, workflow_id: str) -> Told:
        """Wait for a restore's end."""
        return Told.read(self.workflow("result", "-w", workflow_id))

    def describe(self, workflow_id: str) -> dict[str, Any]:
        described: dict[str, Any] = self.workflow("describe", "-w", workflow_id).json
        return described

    def happened(self, workflow_id: str) -> list[str]:
        """The types of the events in a restore's history."""
        history = self.workflow("show", "-w", workflow_id).json
        return [event["eventType"].removeprefix("EVENT_TYPE_") for event in history["events"]]

    def progress(self, workflow_id: str) -> dict[str, Any]:
        """The answer to the query `progress`."""
        (answer,) = self.workflow("query", "-w", workflow_id, "--type", "progress").json["queryResult"]
        assert isinstance(answer, dict)
        return answer

    def workflow(self, *words: str) -> Ended:
        """Run `temporal workflow …`, answering with JSON."""
        return self._run("temporal", "workflow", *words, "-o", "json")

    def restore(self, *words: str, more: Mapping[str, str] | None = None) -> Ended:
        """Run `milvus-restore …`."""
        return self._run("milvus-restore", *words, more=more or {})

    def spawn(self, *words: str) -> "subprocess.Popen[str]":
        """Begin `milvus-restore …`; `ended` waits for it."""
        return self._spawn("milvus-restore", *words)

    def _begun(self, *words: str) -> tuple[str, ...]:
        return ("--type", "RestoreSnapshot", "--task-queue", self.queue, *words)

    def _run(self, program: str, *words: str, more: Mapping[str, str] | None = None) -> Ended:
        return ended(self._spawn(program, *words, more=more))

    def _spawn(
        self, program: str, *words: str, more: Mapping[str, str] | None = None
    ) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [str(SCRIPTS / program), *words],
            env=self.environment | dict(more or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ended(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a command's end; one that takes too long is killed, and that is a failure."""
    with process:
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return Ended(process.returncode, out, err)


def assert_readable(text: str) -> None:
    """It was written for people: no traceback, no representation of an object."""
    assert text.strip()
    assert "Traceback" not in text
    assert ' File "' not in text
    assert " object at 0x" not in text
