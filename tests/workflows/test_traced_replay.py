"""Traces change no decision, and a replay tells nothing again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.opentelemetry import OpenTelemetryPlugin

from tests.histories.stored import load, releases
from tests.telemetry import spans
from tests.workflows.replaying import divergences
from workflows import WORKFLOWS

FILES = [file for release in releases() for file in sorted(release.glob("*.json.gz"))]


async def each(histories: dict[str, WorkflowHistory]) -> AsyncIterator[WorkflowHistory]:
    for history in histories.values():
        yield history


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name.partition('.')[0]}")
async def test_what_was_begun_untraced_goes_on_traced_and_makes_no_span_of_the_past(file: Path) -> None:
    exporter = spans()
    exporter.clear()

    traced = OpenTelemetryPlugin(add_temporal_spans=True)
    assert await divergences(each(load(file)), WORKFLOWS, traced) == []

    assert [span.name for span in exporter.get_finished_spans()] == []
